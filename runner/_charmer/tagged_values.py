"""Values that plain JSON cannot hold: bytes, non-finite floats, NumPy arrays, `Data`. Names the place of a refusal."""

from __future__ import annotations

from _struct import pack, unpack_from

from . import values
from .dialect import Failure
from .frames import to_bytes
from .messages import ATTACHED, TAGGED
from .values import MAX_DEPTH, Data, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def encode_tagged(value: Any, path: str) -> tuple[int, list[bytes]]:
    """Flags and payload. Raises Failure RESULT_INVALID."""
    walk = _TaggedEncoder(path)
    try:
        text = ''.join(values._encode(walk.encode(value), 0))
    except RecursionError:
        raise walk.refusal('Value at {} nests too deep for the stack that is left') from None
    except ValueError:
        walk.steps.clear()
        raise walk.refusal('Value at {} holds an integer of more digits than Python writes') from None
    payload = to_bytes(text)
    attachments = walk.attachments
    if not attachments:
        return TAGGED, [payload]
    count = len(attachments)
    head = pack(f'<{count + 2}I', count, *map(len, attachments), len(payload))
    return TAGGED | ATTACHED, [head, payload, *attachments]


class _TaggedEncoder:
    """One walk over a value. `steps` is the way to where it stands."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.steps: list[str] = []
        self.open: set[int] = set()
        self.attachments: list[bytes] = []

    def encode(self, value: Any) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            number = float.__float__(value)
            return number if number - number == 0 else {'$float': repr(number)}
        if isinstance(value, (bytes, bytearray, memoryview)):
            self.attachments.append(bytes(value))
            return {'$bytes': len(self.attachments) - 1}
        if isinstance(value, (dict, list, tuple)):
            return self.nest(value, value)
        if isinstance(value, Data):
            return {'$data': self.nest(value, value.fields)}
        return self.array(value)

    def nest(self, value: Any, content: dict[Any, Any] | list[Any] | tuple[Any, ...]) -> Any:
        if id(value) in self.open:
            raise self.refusal('Value at {} contains itself, expected a tree')
        if len(self.open) >= MAX_DEPTH:
            self.steps[3:] = ['…']
            raise self.refusal(f'Value at {{}} nests deeper than {MAX_DEPTH} levels')
        self.open.add(id(value))
        if isinstance(content, dict):
            result: Any = {}
            for key, member in content.items():
                name = self.key(key)
                member = self.member(f'.{name}', member)
                if name.startswith('$'):
                    name = f'${name}'
                if name in result:
                    raise self.refusal(f"Two keys of the dict at {{}} become the text '{name}'")
                result[name] = member
        else:
            result = [self.member(f'[{index}]', item) for index, item in enumerate(content)]
        self.open.discard(id(value))
        return result

    def member(self, step: str, value: Any) -> Any:
        self.steps.append(step)
        result = self.encode(value)
        self.steps.pop()
        return result

    def key(self, key: Any) -> str:
        if isinstance(key, str):
            return str.__str__(key)
        if key is None or key is True or key is False:
            return {None: 'null', True: 'true', False: 'false'}[key]
        if isinstance(key, int):
            return int.__repr__(key)
        if isinstance(key, float):
            return {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}.get(repr(float(key)), float.__repr__(key))
        try:
            return str.__str__(str(key))
        except Exception:
            raise self.refusal('A key of the dict at {} has no text') from None

    def array(self, value: Any) -> Any:
        """A NumPy array, or what its scalars hold."""
        kind = type(value)
        if kind.__name__ in ('ndarray', 'memmap') and hasattr(value, 'dtype') and hasattr(value, 'tobytes'):
            dtype = value.dtype
            if dtype.hasobject or dtype.fields is not None:
                raise self.refusal(f"{{}} is an array of dtype '{dtype}', expected numbers")
            data = self.encode(value.tobytes())
            return {'$data': {'type': 'numpy', 'dtype': dtype.str, 'shape': list(value.shape), 'data': data}}
        item = getattr(value, 'item', None) if kind.__module__ == 'numpy' else None
        plain = item() if callable(item) else value
        if type(plain) is not kind:
            return self.encode(plain)
        name = kind.__name__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__name__}'
        raise self.refusal(f"{{}} is of type '{name}', expected a JSON value, bytes or an array")

    def refusal(self, text: str) -> Failure:
        return Failure('RESULT_INVALID', text.replace('{}', f"'{self.path}{''.join(self.steps)}'", 1))


def decode_tagged(payload: memoryview, flags: int) -> Any:
    """The value of a payload whose flags say TAGGED or ATTACHED. Raises ValueError."""
    attachments: list[bytes] = []
    if flags & ATTACHED:
        text, attachments = _detach(payload)
    else:
        text = str(payload, 'utf-8')
    value = parse(text)
    return _resolve(value, attachments) if flags & TAGGED else value


def _detach(payload: memoryview) -> tuple[str, list[bytes]]:
    size = len(payload)
    count = unpack_from('<I', payload, 0)[0] if size >= 4 else size
    if 4 * count + 8 > size:
        raise ValueError('payload is shorter than its table of attachments')
    *lengths, json_length = unpack_from(f'<{count + 1}I', payload, 4)
    start = 4 * count + 8
    end = start + json_length
    if end + sum(lengths) != size:
        raise ValueError('lengths of the attachments do not add up to the payload')
    text = str(payload[start:end], 'utf-8')
    attachments = []
    for length in lengths:
        attachments.append(bytes(payload[end : end + length]))
        end += length
    return text, attachments


def _resolve(value: Any, attachments: list[bytes]) -> Any:
    if isinstance(value, list):
        return [_resolve(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key,) = value
        if key.startswith('$') and not key.startswith('$$'):
            return _resolve_tag(key, value[key], attachments)
    return {key[1:] if key.startswith('$$') else key: _resolve(member, attachments) for key, member in value.items()}


def _resolve_tag(key: str, content: Any, attachments: list[bytes]) -> Any:
    if key == '$bytes' and isinstance(content, int) and 0 <= content < len(attachments):
        return attachments[content]
    if key == '$int' and isinstance(content, str):
        return int(content)
    if key == '$float' and isinstance(content, str):
        return float(content)
    if key == '$stream':
        return StreamPlace()
    if key == '$data' and isinstance(content, dict):
        return _resolve_data(_resolve(content, attachments))
    raise ValueError(f"'{key}' is no tag, or its content is not what it should be")


class StreamPlace:
    """Stands among the arguments where the client stream goes."""


def _resolve_data(data: dict[str, Any]) -> Any:
    if data.get('type') == 'numpy':
        try:
            import numpy  # type: ignore[import-not-found]
        except ImportError:
            return Data(data)
        return numpy.frombuffer(bytearray(data['data']), dtype=data['dtype']).reshape(data['shape'])
    return Data(data)
