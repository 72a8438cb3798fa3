"""Frames of the protocol in and out of bytes.

The protocol between `charmer serve --stdio` and the Python module `remotemedia.runtime`, version 1.

Frames travel in both directions over the host's standard input and output: `u32 rest · u32 text · JSON ·
attachments`, little-endian; `rest` counts everything behind itself, `text` the JSON, which is one message: an
object with a `kind`. In its values, objects with one key are tags: `{"$bytes": [start, length]}` among the
attachments, `{"$int": digits}`, `{"$float": "nan" | "inf" | "-inf" | "-0.0"}`; keys that begin with `$` themselves
get one more. Both sides begin with `hello {protocol, …}`; who does not know the other's number says so and ends.
The client asks with `{kind, id, …}`; each request is answered once, in any order, by `reply {id, value}` or
`failure {id, error}`; `abort {id}` gives one up. `open` takes a session number of the client's choice, a manifest
and options; `send complete stats close publish state cancel_turn call subscribe intercept stream` name the session.
The last three give a handle: `next` takes its next value (`{value}`, `{lagged}`, `{done}`), `decide` answers an
intercepted one, `release` lets go. Unasked come `output {session, node, turn, type, data | error}`, `end {session}`
and `event {session?, name, event}`. Of one session at most 64 outputs, and beyond the first at most 16 MiB, travel
ahead of `credit {session, items}`. The host ends with its input, and every session, plugin and process with it.
"""

from __future__ import annotations

import json
import re
import struct
from typing import IO, Any, Optional

from ..core.multiprocessing import _arrays

PROTOCOL = 1
_HEAD = struct.Struct('<II')
# JavaScript's numbers hold integers up to 2**53, which has sixteen digits.
_LONG_NUMBER = re.compile(r'\d{16}')
_MAX_EXACT = 2**53


def encode_frame(message: dict[str, Any]) -> list[bytes]:
    """The parts of a frame, to be written one after the other. TypeError names what cannot cross."""
    walk = _Attachments()
    text = _encode_plain(message, walk)
    if text is None:
        walk = _Attachments()
        text = json.dumps(_tag(message, walk), ensure_ascii=False, separators=(',', ':'), allow_nan=False)
    encoded = text.encode('utf-8', 'backslashreplace')
    return [_HEAD.pack(4 + len(encoded) + walk.size, len(encoded)) + encoded, *walk.parts]


def read_frame(stream: IO[bytes]) -> Optional[dict[str, Any]]:
    """The next message, its size in bytes among its fields as `frame_bytes`; None at the end of the stream."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    rest, text_size = _HEAD.unpack(head)
    body = stream.read(rest - 4)
    if len(body) < rest - 4:
        return None
    text = body[:text_size].decode('utf-8')
    message = json.loads(text)
    if '"$' in text:
        message = _untag(message, memoryview(body)[text_size:])
    if not isinstance(message, dict):
        raise ValueError('A frame of the host holds no message')
    message['frame_bytes'] = 4 + rest
    return message


class _Attachments:
    """The bytes of one frame."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, value: Any) -> Any:
        """The tag of bytes, the number of a NumPy scalar; TypeError for anything else."""
        if _arrays.is_numpy_scalar(value):
            return value.item()
        if not isinstance(value, (bytes, bytearray, memoryview)):
            kind = type(value)
            name = kind.__name__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__name__}'
            raise TypeError(f"A value of type '{name}' cannot travel, JSON values and bytes can")
        part = value if isinstance(value, bytes) else bytes(value)
        self.parts.append(part)
        self.size += len(part)
        return {'$bytes': [self.size - len(part), len(part)]}


def _encode_plain(message: Any, walk: _Attachments) -> Optional[str]:
    """One pass of the C encoder; None where the value holds what only tags can say."""
    try:
        text = json.dumps(message, ensure_ascii=False, separators=(',', ':'), allow_nan=False, default=walk.add)
    except ValueError:
        # Not finite somewhere, or nested in itself; the walk below knows which.
        return None
    if text.count('"$') != len(walk.parts) or _LONG_NUMBER.search(text) is not None or '-0.0' in text:
        return None
    return text


def _tag(value: Any, walk: _Attachments) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if -_MAX_EXACT <= value <= _MAX_EXACT else {'$int': int.__repr__(value)}
    if isinstance(value, float):
        if value != value:
            return {'$float': 'nan'}
        if value in (float('inf'), float('-inf')) or float.__repr__(value) == '-0.0':
            return {'$float': float.__repr__(value)}
        return float(value)
    if isinstance(value, dict):
        return {_escaped(key): _tag(member, walk) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tag(item, walk) for item in value]
    tagged = walk.add(value)
    return tagged if isinstance(tagged, dict) else _tag(tagged, walk)


def _escaped(key: Any) -> Any:
    return f'${key}' if isinstance(key, str) and key.startswith('$') else key


def _untag(value: Any, attachments: memoryview) -> Any:
    if isinstance(value, list):
        return [_untag(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key,) = value
        if key.startswith('$') and not key.startswith('$$'):
            return _untag_one(key, value[key], attachments)
    return {key[1:] if key.startswith('$$') else key: _untag(member, attachments) for key, member in value.items()}


def _untag_one(key: str, content: Any, attachments: memoryview) -> Any:
    if key == '$bytes':
        start, length = content
        return bytes(attachments[start : start + length])
    if key == '$int':
        return int(content)
    if key == '$float':
        return float(content)
    raise ValueError(f"'{key}' is no tag of the protocol")
