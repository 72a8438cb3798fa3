"""Lines of JSON, without the `json` package: its import would take longer than everything else at start-up."""

from __future__ import annotations

import _json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

READ_BYTES = 65536


class _Context:
    """What the C scanner asks its context for: the plain meaning of JSON."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}


_scan = _json.make_scanner(_Context())  # type: ignore[arg-type]


def decode(line: str) -> Any:
    """The value of one line."""
    return _scan(line, 0)[0]


def encode(value: object) -> str:
    """One value as JSON: dicts with string keys, lists, strings, finite numbers, booleans and None."""
    if isinstance(value, str):
        return _json.encode_basestring_ascii(value)
    if value is None:
        return 'null'
    if value is True or value is False:
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return '{' + ','.join([encode(str(key)) + ':' + encode(item) for key, item in value.items()]) + '}'
    if isinstance(value, (list, tuple)):
        return '[' + ','.join([encode(item) for item in value]) + ']'
    raise TypeError(f'cannot encode {type(value).__name__}')


class LineReader:
    """Cuts what arrives on a descriptor into lines."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pieces: list[bytes] = []

    def read(self) -> Iterator[Any] | None:
        """The values that one read completes, or None at the end of input."""
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except ConnectionError:
            return None
        if not data:
            return None
        if b'\n' not in data:
            self._pieces.append(data)
            return iter(())
        *lines, rest = (b''.join(self._pieces) + data).split(b'\n')
        self._pieces = [rest] if rest else []
        return (decode(line.decode('utf-8', 'surrogatepass')) for line in lines)


def write_line(descriptor: int, value: object) -> None:
    """Writes one line whole. Raises OSError when nobody reads any more."""
    data = memoryview((encode(value) + '\n').encode('ascii'))
    while data:
        data = data[os.write(descriptor, data) :]
