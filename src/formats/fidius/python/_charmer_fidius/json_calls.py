"""Calls whose arguments and results travel as JSON text, so that 1 and 1.0 stay two things.

The caller marks its argument list, and the items it feeds, with one key that no plugin's data has.
"""

from __future__ import annotations

import math

from _charmer import values

from _charmer_fidius.failures import refusal
from _charmer_fidius.loading import JSON_KEY

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Iterator


# The wire refuses deeper values.
DEEPEST = 200


def is_marked(value: Any) -> bool:
    return type(value) is dict and JSON_KEY in value


def unmarked(value: Any) -> Any:
    """The value behind the mark, or the value itself."""
    return values.parse(value[JSON_KEY]) if is_marked(value) else value


def call(function: Any, arguments: list[Any], strict: ModuleType | None, is_streaming: bool) -> Any:
    """Calls a typed method: the last argument is the marked list, a fed stream may stand before it."""
    given = spread(unmarked(arguments[-1]))
    fed = [Unmarked(stream) for stream in arguments[:-1]]
    if strict is not None:
        result = strict.call(function, [*fed, *given], is_streaming)
    else:
        result = function(*fed, *given)
    if is_streaming:
        return marked_items(result)
    return marked_later(result) if hasattr(result, '__await__') else marked(result)


def spread(given: Any) -> list[Any]:
    """A list is the arguments, nothing is none, anything else is one (7.5)."""
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


class Unmarked:
    """A fed stream whose items are marked."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __iter__(self) -> Unmarked:
        return self

    def __next__(self) -> Any:
        return unmarked(next(self._items))


def marked(value: Any) -> dict[str, str]:
    """The value as JSON text. Raises RESULT_INVALID for what JSON does not have."""
    plain = jsonable(value)
    text = values.encode_plain(plain)
    if text is None:
        # The thorough encoder names the place of what cannot cross.
        values.encode(plain, 'result')
        raise refusal('RESULT_INVALID', 'result has no JSON form', {'kind': 'Serialization'})
    return {JSON_KEY: valid(text)}


def valid(text: str) -> str:
    """The text, unless it holds halves of surrogate pairs, which the wire could only replace."""
    try:
        text.encode('utf-8')
    except UnicodeEncodeError as error:
        reason = f'UnicodeEncodeError: {error}'
        raise refusal('RESULT_INVALID', reason, {'kind': 'Serialization'})
    return text


async def marked_later(value: Any) -> dict[str, str]:
    return marked(await value)


def marked_items(items: Any) -> Any:
    """Items as JSON texts; what cannot be iterated is the runner's to refuse."""
    if hasattr(items, '__aiter__') or hasattr(items, '__await__'):
        return marked_items_later(items)
    return MarkedItems(iter(items)) if hasattr(items, '__iter__') else items


async def marked_items_later(items: Any) -> Any:
    if hasattr(items, '__await__'):
        items = await items
    if hasattr(items, '__aiter__'):
        async for item in items:
            yield marked(item)
    else:
        for item in items:
            yield marked(item)


class MarkedItems:
    """An iterator like the one it wraps: as lazy, and closed with it."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __iter__(self) -> MarkedItems:
        return self

    def __next__(self) -> dict[str, str]:
        return marked(next(self._items))

    def close(self) -> None:
        close = getattr(self._items, 'close', None)
        if close is not None:
            close()


def jsonable(value: Any, depth: int = 0) -> Any:
    """Bytes as lists of integers; numbers that are not finite refused."""
    if depth > DEEPEST:
        raise refusal('RESULT_INVALID', 'recursion limit exceeded', {'kind': 'Serialization'})
    if isinstance(value, (bytes, bytearray, memoryview)):
        return list(bytes(value))
    if isinstance(value, float) and not math.isfinite(value):
        text = 'ValueError: non-finite float cannot be encoded to JSON'
        raise refusal('RESULT_INVALID', text, {'kind': 'Serialization'})
    if isinstance(value, (list, tuple)):
        return [jsonable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return keyed_by_text(value, depth)
    return value


def keyed_by_text(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    texts = {key if isinstance(key, str) else str(key): jsonable(item, depth + 1) for key, item in value.items()}
    if len(texts) < len(value):
        text = 'two keys of a dict have the same text'
        raise refusal('RESULT_INVALID', text, {'kind': 'Serialization'})
    return texts
