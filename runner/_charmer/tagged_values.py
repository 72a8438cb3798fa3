"""Values that plain JSON cannot hold: bytes, non-finite floats, NumPy arrays, `Data`. Names the place of a refusal."""

from __future__ import annotations

from _struct import Struct, unpack_from

from . import values
from .dialect import Failure
from .frames import to_bytes
from .messages import ATTACHED, TAGGED
from .values import MAX_DEPTH, Data, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_u32 = Struct('<I')


def encode_tagged(value: Any, path: str) -> tuple[int, list[bytes]]:
    """Flags and payload. Raises Failure RESULT_INVALID."""
    walk = _TaggedEncoder(path)
    try:
        tree = walk.encode(value)
        text = ''.join(values._encode(tree, 0))
    except RecursionError:
        raise Failure(
            'RESULT_INVALID', f"Value at '{walk.place()}' nests too deep for the stack that is left"
        ) from None
    except ValueError:
        raise Failure(
            'RESULT_INVALID', f"Value at '{path}' holds an integer of more digits than Python writes"
        ) from None
    payload = to_bytes(text)
    attachments = walk.attachments
    if not attachments:
        return TAGGED, [payload]
    lengths = [_u32.pack(len(attachment)) for attachment in attachments]
    head = b''.join((_u32.pack(len(attachments)), *lengths, _u32.pack(len(payload))))
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
            return self.attach(value)
        if isinstance(value, dict):
            return self.nest(value, self.dict)
        if isinstance(value, (list, tuple)):
            return self.nest(value, self.list)
        if isinstance(value, Data):
            return {'$data': self.nest(value.fields, self.dict)}
        if type(value).__module__ == 'numpy' or _is_array(value):
            return self.array(value)
        raise self.refusal(value)

    def attach(self, value: bytes | bytearray | memoryview) -> Any:
        self.attachments.append(bytes(value))
        return {'$bytes': len(self.attachments) - 1}

    def nest(self, value: Any, encode: Any) -> Any:
        if id(value) in self.open:
            raise Failure('RESULT_INVALID', f"Value at '{self.place()}' contains itself, expected a tree")
        if len(self.steps) >= MAX_DEPTH:
            start = self.path + ''.join(self.steps[:3])
            raise Failure('RESULT_INVALID', f"Value at '{start}…' nests deeper than {MAX_DEPTH} levels")
        self.open.add(id(value))
        result = encode(value)
        self.open.discard(id(value))
        return result

    def list(self, items: Any) -> Any:
        result = []
        for index, item in enumerate(items):
            self.steps.append(f'[{index}]')
            result.append(self.encode(item))
            self.steps.pop()
        return result

    def dict(self, members: dict[Any, Any]) -> Any:
        result: dict[str, Any] = {}
        for key, member in members.items():
            name = self.key(key)
            self.steps.append(f'.{name}')
            if name.startswith('$'):
                name = f'${name}'
            if name in result:
                raise Failure('RESULT_INVALID', f"Two keys of the dict at '{self.place(-1)}' become the text '{name}'")
            result[name] = self.encode(member)
            self.steps.pop()
        return result

    def key(self, key: Any) -> str:
        if isinstance(key, str):
            return str.__str__(key)
        if key is None:
            return 'null'
        if key is True or key is False:
            return 'true' if key else 'false'
        if isinstance(key, int):
            return int.__repr__(key)
        if isinstance(key, float):
            return {'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}.get(repr(float(key)), float.__repr__(key))
        try:
            return str.__str__(str(key))
        except Exception:
            raise Failure('RESULT_INVALID', f"A key of the dict at '{self.place()}' has no text") from None

    def array(self, value: Any) -> Any:
        if not _is_array(value):
            item = getattr(value, 'item', None)
            plain = item() if callable(item) else value
            if type(plain) is type(value):
                raise self.refusal(value)
            return self.encode(plain)
        dtype = value.dtype
        if dtype.hasobject or dtype.fields is not None:
            raise Failure('RESULT_INVALID', f"'{self.place()}' is an array of dtype '{dtype}', expected numbers")
        data = self.attach(value.tobytes())
        return {'$data': {'type': 'numpy', 'dtype': dtype.str, 'shape': list(value.shape), 'data': data}}

    def place(self, upto: int | None = None) -> str:
        return self.path + ''.join(self.steps[:upto])

    def refusal(self, value: Any) -> Failure:
        kind = type(value)
        name = kind.__name__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__name__}'
        expected = 'expected a JSON value, bytes or an array'
        return Failure('RESULT_INVALID', f"'{self.place()}' is of type '{name}', {expected}")


def _is_array(value: Any) -> bool:
    return type(value).__name__ in ('ndarray', 'memmap') and hasattr(value, 'dtype') and hasattr(value, 'tobytes')


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
    lengths = unpack_from(f'<{count}I', payload, 4)
    start = 4 * count + 8
    end = start + unpack_from('<I', payload, start - 4)[0]
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
