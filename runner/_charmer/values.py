"""Values to and from payloads: one pass of the C encoder for plain ones, `tagged_values` for the rest.

`json` and `re` are not imported: together they cost as much as the interpreter's own start.
"""

from __future__ import annotations

from _json import encode_basestring, make_encoder, make_scanner

from .frames import to_bytes
from .messages import ATTACHED, RAW, TAGGED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Deeper values are refused on both sides, so that no parser is ever driven into its own limits.
MAX_DEPTH = 200
_ALL_BUT_BRACKETS = bytes(byte for byte in range(256) if byte not in b'[]{}')


class Data:
    """A value that formats give a meaning of their own: fields, one of them `type`, which may hold bytes."""

    __slots__ = ('fields',)

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Data) and self.fields == other.fields

    def __repr__(self) -> str:
        return f'Data({self.fields!r})'


class _ScannerOptions:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: dict[str, str] = {}

    @staticmethod
    def parse_constant(text: str) -> None:
        raise ValueError(f"'{text}' is no JSON value")


def _refuse(value: object) -> None:
    raise TypeError


_scan = make_scanner(_ScannerOptions())  # type: ignore[arg-type]
_encode = make_encoder(None, _refuse, encode_basestring, None, ':', ',', False, False, False)
_join = ''.join
# What the text of a key that was no text ends with.
_OTHER_KEYS = ('0":', '1":', '2":', '3":', '4":', '5":', '6":', '7":', '8":', '9":', 'true":', 'false":', 'null":')


def decode(payload: memoryview, flags: int = 0) -> Any:
    """The value of a payload. Attachments become `bytes`."""
    if flags & (TAGGED | ATTACHED):
        from .tagged_values import decode_tagged

        return decode_tagged(payload, flags)
    return bytes(payload) if flags & RAW else parse(str(payload, 'utf-8'))


def parse(text: str) -> Any:
    """The value of a JSON text without blanks around it."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError('text holds no JSON value') from None
    if end != len(text):
        raise ValueError('text goes on after its JSON value')
    return value


def encode_plain(value: Any) -> str | None:
    """JSON text of a value that needs no tags, else None: the tagged encoder then knows what is wrong, if anything."""
    if value is None:
        return 'null'
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    try:
        if kind is int:
            return repr(value)
        text = _join(_encode(value, 0))
        if '":' in text and _may_have_other_keys(text) and _has_other_keys(value):
            return None
    except Exception:
        return None
    if len(text) > 2 * MAX_DEPTH and _may_be_too_deep(text):
        return None
    return text


def encode(value: Any, path: str) -> tuple[int, list[bytes]]:
    """Flags and the parts of the payload of any value.

    Raises Failure RESULT_INVALID, naming the place inside `path` and the type that cannot cross.
    """
    text = encode_plain(value)
    if text is not None:
        return 0, [to_bytes(text)]
    from .tagged_values import encode_tagged

    return encode_tagged(value, path)


def _may_have_other_keys(text: str) -> bool:
    # Searching is cheaper than walking, but for small values.
    return len(text) < 512 or any(end in text for end in _OTHER_KEYS)


def _has_other_keys(value: Any) -> bool:
    """Whether a dict has keys that are not text: they become text, and two of them may become the same."""
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                return True
        value = value.values()
    # A generator for `any` costs more than the loop.
    for item in value:  # noqa: SIM110
        if isinstance(item, (dict, list, tuple)) and _has_other_keys(item):
            return True
    return False


def _may_be_too_deep(text: str) -> bool:
    """Whether brackets may nest too deep: takes the innermost pairs away, level by level, at the speed of C."""
    if text.count('[') + text.count('{') <= MAX_DEPTH:
        return False
    brackets = to_bytes(text).translate(None, _ALL_BUT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b'[]', b'').replace(b'{}', b'')
        if not brackets:
            return False
    # Brackets inside of strings do not pair up; the tagged encoder counts properly.
    return True
