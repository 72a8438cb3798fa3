"""The Python half of the Fidius format: loads a package's module, checks its interface, calls its methods.

The runner drives one ``Dialect`` per process and knows nothing else of Fidius. Numbers in comments name the
sections of the Fidius specification that a rule comes from.
"""

from __future__ import annotations

import os
import sys

from _charmer.dialect import Failure

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Iterator

# The runner loads this file by its path. Its neighbours become a package that is found by place, not by an import
# path that belongs to the plugin.
_package = type(sys)('_charmer_fidius')
_package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
sys.modules['_charmer_fidius'] = _package

from _charmer_fidius import failures, loading  # noqa: E402
from _charmer_fidius.loading import JSON_KEY  # noqa: E402

CONTAINERS = frozenset((dict, list, tuple))
# The wire refuses deeper values.
DEEPEST = 200


def create() -> Dialect:
    """Called once by the runner."""
    return Dialect()


class Dialect:
    """What the runner sees of Fidius."""

    uses_event_loop = False

    def __init__(self) -> None:
        self._methods: dict[str, loading.Method] = {}
        self._strict: ModuleType | None = None

    def open(self, opening: dict[str, Any], host: Any) -> list[dict[str, Any]]:
        """Imports, checks the hash, configures, looks up every method: in this order (7.2, 7.4)."""
        if opening.get('strict'):
            self._strict = strict_conversions()
        name = opening['entryModule']
        module = loading.import_entry(name)
        interface = opening.get('interface')
        declared = loading.check_hash(name, module, interface, host)
        loading.compare_names(opening, interface, host)
        if declared is not None:
            host.fact('interfaceHash', loading.hexadecimal(declared))
        home: Any = module
        if 'config' in opening:
            config = loading.configuration(opening['config'], interface)
            home = loading.configure(name, module, self._strict.config_argument(config) if self._strict else config)
        context = f'{name} instance' if 'config' in opening else name
        if interface is None:
            methods = loading.discover_methods(module, home)
        else:
            methods = loading.resolve_methods(interface, home, context)
        self._methods = {method.name: method for method in methods}
        return [loading.operation_of(method) for method in methods]

    def call(self, operation: str, arguments: list[Any], call: Any) -> Any:
        """Calls a method with positional arguments, a fed stream first (6). Coroutines are the runner's to await."""
        method = self._methods[operation]
        if method.function is None:
            raise Failure('OPERATION_UNKNOWN', f"The plugin lacks the optional method '{operation}'")
        if method.coerce is not None:
            arguments = coerce_all(method.coerce, arguments)
        values = stream_first(arguments)
        if not method.is_raw:
            strict = strict_conversions() if call.options.get('strict') else self._strict
            if values and type(values[-1]) is dict and JSON_KEY in values[-1]:
                from _charmer_fidius import json_calls

                return json_calls.call(method.function, values, strict, call.streaming)
            if strict is not None:
                return strict.call(method.function, values, call.streaming)
        result = method.function(*values)
        return raw_result(result) if method.is_raw else text_keyed(result)

    def describe(self, error: BaseException) -> Failure | None:
        """What an exception of the plugin is to the host (7.7)."""
        return failures.describe(error)

    def close(self) -> None:
        """Nothing to let go: the process ends with the plugin."""


def strict_conversions() -> ModuleType:
    from _charmer_fidius import strict_conversions as conversions

    return conversions


def coerce_all(plans: list[loading.Plan | None], arguments: list[Any]) -> list[Any]:
    return [
        plans[index](value) if index < len(plans) and plans[index] is not None else value
        for index, value in enumerate(arguments)
    ]


def text_keyed(value: Any, depth: int = 0) -> Any:
    """Keys that are no text become their `str()`, as in the original (7.5); values without such keys are not copied."""
    kind = type(value)
    if depth > DEEPEST:
        # The encoder names the place of what is too deep, or contains itself.
        return value
    if kind is dict:
        if all(type(key) is str for key in value):
            return value if not CONTAINERS.intersection(map(type, value.values())) else keyed_inside(value, depth)
        texts = {key if isinstance(key, str) else str(key): text_keyed(item, depth + 1) for key, item in value.items()}
        if len(texts) < len(value):
            text = 'two keys of a dict have the same text'
            raise failures.refusal('RESULT_INVALID', text, {'kind': 'Serialization'})
        return texts
    if kind is list or kind is tuple:
        return [text_keyed(item, depth + 1) for item in value] if CONTAINERS.intersection(map(type, value)) else value
    return value


def keyed_inside(value: dict[str, Any], depth: int) -> dict[str, Any]:
    return {key: text_keyed(item, depth + 1) for key, item in value.items()}


def stream_first(arguments: list[Any]) -> list[Any]:
    """The host-fed iterator moves to the front, whatever its position in the interface (6)."""
    for index, value in enumerate(arguments):
        if index > 0 and hasattr(value, '__next__'):
            return [value, *arguments[:index], *arguments[index + 1 :]]
    return arguments


def raw_result(result: Any) -> Any:
    """Bytes of a raw method: any sequence of integers from 0 to 255 (7.6)."""
    if isinstance(result, (bytes, bytearray)):
        return result
    if hasattr(result, '__await__'):
        return awaited_raw(result)
    try:
        if isinstance(result, memoryview) and result.format == 'B' and result.contiguous:
            return result
        return bytes(list(sequence_of(result)))
    except Exception as error:
        reason = failures.text_of(error)
        if isinstance(error, (ValueError, OverflowError)):
            reason = 'out of range integral type conversion attempted'
            error = OverflowError(reason)
        text = f'raw method must return bytes/bytearray, got: {failures.class_name(error)}: {reason}'
        raise failures.refusal('RESULT_INVALID', text, {'kind': 'Serialization'})


async def awaited_raw(result: Any) -> Any:
    return raw_result(await result)


def sequence_of(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        raise TypeError("Can't extract `str` to `Vec`")
    if isinstance(value, dict) or not hasattr(type(value), '__getitem__') or not hasattr(type(value), '__len__'):
        raise TypeError(f"'{type(value).__name__}' object cannot be converted to 'Sequence'")
    return iter(value)
