"""From a package to its methods: import, hash gate, configuration, lookup (7.2, 7.4 of the specification)."""

from __future__ import annotations

import sys

from _charmer import values

from _charmer_fidius.failures import class_name, import_refusal, refusal, text_of

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable

    Plan = Callable[[Any], Any]

HASH_ATTRIBUTE = '__interface_hash__'
CONFIGURE_ATTRIBUTE = '__fidius_configure__'
LARGEST_HASH = 2**64 - 1
# Marks JSON text in place of a value. The same constant is in `json-text.ts`.
JSON_KEY = '\x00fidius.json'


class Method:
    """One operation: the function behind it and how its values cross."""

    __slots__ = ('coerce', 'function', 'is_raw', 'kind', 'name')

    def __init__(self, name: str, kind: str, is_raw: bool, function: Any) -> None:
        self.name = name
        self.kind = kind
        self.is_raw = is_raw
        self.function = function
        self.coerce: list[Plan | None] | None = None


def import_entry(name: str) -> ModuleType:
    """The leaf module of a dotted path; whatever its import raises is one kind of refusal (7.2)."""
    try:
        if not name or name.startswith('.'):
            raise ValueError('Empty module name')
        __import__(name)
        return sys.modules[name]
    except BaseException as error:
        raise import_refusal(name, f'{class_name(error)}: {text_of(error)}', error)


def check_hash(name: str, module: ModuleType, interface: dict[str, Any] | None, host: Any) -> int | None:
    """The declared hash. With an interface it must be there, fit 64 bits and be hash A, or B with a warning (4.4)."""
    if interface is None:
        declared = getattr(module, HASH_ATTRIBUTE, None)
        return declared if isinstance(declared, int) and 0 <= declared <= LARGEST_HASH else None
    declared = read_hash(name, module)
    trait = interface['name']
    expected = int(interface['hash'], 16)
    if declared == expected:
        return declared
    if 'hashB' in interface and declared == int(interface['hashB'], 16):
        host.warn(
            f"The package declares hash {hexadecimal(declared)}, which the stub tool prints for interface '{trait}'; "
            f'original hosts expect {hexadecimal(expected)}{both_texts(interface)}'
        )
        return declared
    details = {'kind': 'InterfaceHashMismatch', 'trait': trait, 'got': hexadecimal(declared)}
    details['expected'] = hexadecimal(expected)
    for key in ('hashB', 'canonical', 'canonicalB'):
        if key in interface:
            details[key] = interface[key]
    raise refusal(
        'INTERFACE_MISMATCH',
        f"interface hash mismatch for trait '{trait}': package declares {details['got']}, "
        f'host expects {details["expected"]}',
        details,
    )


def read_hash(name: str, module: ModuleType) -> int:
    """The attribute as an unsigned 64-bit integer, by the index protocol."""
    try:
        value = getattr(module, HASH_ATTRIBUTE)
    except AttributeError:
        text = f"entry module '{name}' is missing required attribute '{HASH_ATTRIBUTE}'"
        details = {'kind': 'MissingAttribute', 'module': name, 'attribute': HASH_ATTRIBUTE}
        raise refusal('INTERFACE_MISMATCH', text, details)
    try:
        index = type(value).__index__(value) if hasattr(type(value), '__index__') else not_an_integer(value)
        if index < 0:
            raise OverflowError("can't convert negative int to unsigned")
        if index > LARGEST_HASH:
            raise OverflowError('int too big to convert')
        return int(index)
    except Exception as error:
        text = (
            f"entry module '{name}' import failed: {HASH_ATTRIBUTE} is not a u64: {class_name(error)}: {text_of(error)}"
        )
        raise refusal('INTERFACE_MISMATCH', text, {'kind': 'HashInvalid', 'module': name})


def not_an_integer(value: Any) -> int:
    raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")


def configure(name: str, module: ModuleType, config: Any) -> Any:
    """The instance that the module's hook makes of a configuration (7.4)."""
    try:
        return getattr(module, CONFIGURE_ATTRIBUTE)(config)
    except BaseException as error:
        reason = f'{CONFIGURE_ATTRIBUTE} failed: {class_name(error)}: {text_of(error)}'
        raise import_refusal(name, reason, error, kind='ConfigureFailed')


def resolve_methods(interface: dict[str, Any], home: Any, context: str) -> list[Method]:
    """Every method of the interface in its order; only an optional one may be missing (7.2)."""
    named_types = interface.get('types') or {}
    methods = []
    for declared in interface['methods']:
        name = declared['name']
        try:
            function = getattr(home, name)
        except Exception as error:
            if not declared.get('optional'):
                reason = f"module '{context}': {class_name(error)}: {text_of(error)}"
                text = f"method '{name}' on trait '{interface['name']}' is not registered in the entry module: {reason}"
                details = {'kind': 'MethodNotRegistered', 'trait': interface['name'], 'method': name}
                raise refusal('INTERFACE_MISMATCH', text, details)
            function = None
        method = Method(name, declared.get('kind') or kind_of(function), bool(declared.get('wireRaw')), function)
        method.coerce = coercion_of(declared.get('args'), named_types)
        methods.append(method)
    return methods


def configuration(config: Any, interface: dict[str, Any] | None) -> Any:
    """The configuration as given: JSON text parsed, numbers as floats where the interface says so."""
    if type(config) is dict and JSON_KEY in config:
        return values.parse(config[JSON_KEY])
    if interface is None or 'config' not in interface:
        return config
    from _charmer_fidius.float_coercion import plans_for

    plan = plans_for([{'type': interface['config']}], interface.get('types') or {})[0]
    return config if plan is None else plan(config)


def coercion_of(arguments: list[dict[str, Any]] | None, named_types: dict[str, Any]) -> list[Any] | None:
    if not arguments:
        return None
    from _charmer_fidius.float_coercion import plans_for

    plans = plans_for(arguments, named_types)
    return plans if any(plans) else None


def discover_methods(module: ModuleType, home: Any) -> list[Method]:
    """Without an interface: what the SDK's decorator recorded for the module, else its own public functions."""
    sdk = sys.modules.get('fidius')
    names = list(sdk.list_methods(module.__name__)) if hasattr(sdk, 'list_methods') else []
    if not names and home is module:
        names = [name for name, value in vars(module).items() if is_public_function(name, value, module)]
    elif not names:
        names = [name for name in dir(home) if not name.startswith('_') and callable(getattr(home, name, None))]
    found = [(name, getattr(home, name, None)) for name in names]
    return [Method(name, kind_of(function), False, function) for name, function in found if function is not None]


def is_public_function(name: str, value: Any, module: ModuleType) -> bool:
    code = getattr(value, '__code__', None)
    return code is not None and not name.startswith('_') and value.__module__ == module.__name__


def kind_of(function: Any) -> str:
    """Generators stream; what else a function does only its caller can say. The flags are CO_*GENERATOR."""
    code = getattr(function, '__code__', None)
    return 'server-stream' if code is not None and code.co_flags & (0x20 | 0x200) else 'unary'


def operation_of(method: Method) -> dict[str, Any]:
    code = getattr(method.function, '__code__', None)
    operation: dict[str, Any] = {
        'name': method.name,
        'kind': method.kind,
        'wireMode': 'raw' if method.is_raw else 'typed',
    }
    if method.function is None:
        operation['isAvailable'] = False
    if isinstance(getattr(method.function, '__doc__', None), str) and code is not None:
        operation['description'] = method.function.__doc__.strip()
    if code is not None:
        bound = 1 if getattr(method.function, '__self__', None) is not None else 0
        operation['parameters'] = list(code.co_varnames[bound : code.co_argcount])
    return operation


def compare_names(opening: dict[str, Any], interface: dict[str, Any] | None, host: Any) -> None:
    """The hash leaves the interface's name and version out; the original compares neither (FW17)."""
    if interface is None:
        return
    for key, wanted in (('interfaceName', interface['name']), ('interfaceVersion', interface.get('version'))):
        declared = opening.get(key)
        if wanted is not None and declared is not None and declared != wanted:
            what = 'interface' if key == 'interfaceName' else 'interface version'
            host.warn(f"The manifest names {what} '{declared}', the host expects '{wanted}'")


def both_texts(interface: dict[str, Any]) -> str:
    """The two canonical texts, where the descriptor has them: their difference is the reason for the two hashes."""
    if 'canonical' not in interface or 'canonicalB' not in interface:
        return ''
    return f': {interface["canonicalB"]!r} against {interface["canonical"]!r}'


def hexadecimal(value: int) -> str:
    return f'0x{value:016x}'
