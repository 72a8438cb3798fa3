"""The original host's conversions, faults included, for comparing the two (7.5 of the specification).

Arguments and results of the original pass through JSON text. Streamed items and the configuration skip the text,
so their floats are exact.
"""

from __future__ import annotations

import math

from _charmer.dialect import Failure

from _charmer_fidius.failures import class_name, refusal, text_of

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

    Number = Callable[[float], float]

LARGEST_UNSIGNED = 2**64 - 1
SMALLEST_SIGNED = -(2**63)
# The text parser gives up at its 128th level; the list of arguments is one of them.
DEEPEST_ARGUMENT = 126
DEEPEST_RESULT = 127
LARGEST_POWER = 308


def call(function: Any, values: list[Any], is_streaming: bool) -> Any:
    """Calls a typed method the way the original does."""
    arguments = [HostFedStream(value) if hasattr(value, '__next__') else argument(value) for value in values]
    result = function(*arguments)
    if is_streaming:
        return stream(result, any(isinstance(value, HostFedStream) for value in arguments))
    return result_value(result, through_text, DEEPEST_RESULT)


def config_argument(value: Any) -> Any:
    """The configuration as the hook sees it: floats exact, what is not finite gone."""
    return given(value, exact, DEEPEST_ARGUMENT)


def argument(value: Any) -> Any:
    return given(value, through_text, DEEPEST_ARGUMENT)


class HostFedStream:
    """The iterator of a client stream, with the two methods that the original's has."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __iter__(self) -> HostFedStream:
        return self

    def __next__(self) -> Any:
        return given(next(self._items), exact, DEEPEST_ARGUMENT)


def stream(result: Any, is_fed: bool) -> Iterator[Any]:
    try:
        items = iter(result)
    except TypeError as error:
        kind = 'bidirectional' if is_fed else 'streaming'
        text = f'{kind} method must return an iterable/generator, got: {class_name(error)}: {text_of(error)}'
        raise refusal('RESULT_INVALID', text, {'kind': 'Serialization'})
    return StrictItems(items)


class StrictItems:
    """An iterator like the one it wraps: as lazy, closed only when it is dropped."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __iter__(self) -> StrictItems:
        return self

    def __next__(self) -> Any:
        return streamed_item(next(self._items))

    def close(self) -> None:
        close = getattr(self._items, 'close', None)
        if close is not None:
            close()


def streamed_item(item: Any) -> Any:
    try:
        return result_value(item, exact, DEEPEST_RESULT)
    except Failure as refused:
        raise Failure('PLUGIN_RAISED', refused.message, plugin_code='OutputEncode')


def given(value: Any, number: Number, depth: int) -> Any:
    """Host to Python: bytes are lists of integers, what is not finite is None, keys come sorted by bytes."""
    if isinstance(value, float):
        return number(value) if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return list(bytes(value))
    if isinstance(value, (list, dict)) and depth == 0:
        raise refusal('ARGUMENT_INVALID', 'recursion limit exceeded at line 1 column 128', {'kind': 'Deserialization'})
    if isinstance(value, list):
        return [given(item, number, depth - 1) for item in value]
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda pair: str(pair[0]).encode('utf-8'))
        return {key: given(item, number, depth - 1) for key, item in ordered}
    return value


def result_value(value: Any, number: Number, depth: int) -> Any:
    """Python to host: the first match wins; whatever matches nothing becomes its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return valid_text(str.__str__(value))
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise unencodable('ValueError: non-finite float cannot be encoded to JSON')
        return number(float(value))
    if isinstance(value, int):
        return integer(int(value))
    return container(value, number, depth)


def container(value: Any, number: Number, depth: int) -> Any:
    if isinstance(value, (list, tuple, dict)) and depth == 0:
        raise unencodable('recursion limit exceeded')
    if isinstance(value, (list, tuple)):
        return [result_value(item, number, depth - 1) for item in value]
    if isinstance(value, dict):
        texts = {valid_text(str(key)): item for key, item in value.items()}
        return {key: result_value(item, number, depth - 1) for key, item in sorted(texts.items(), key=utf8_key)}
    try:
        text = str(value)
    except Exception as error:
        raise unencodable(f'{class_name(error)}: {text_of(error)}')
    return valid_text(text)


def utf8_key(pair: Any) -> bytes:
    return str(pair[0]).encode('utf-8')


def valid_text(text: str) -> str:
    try:
        text.encode('utf-8')
    except UnicodeEncodeError as error:
        raise unencodable(f'{class_name(error)}: {text_of(error)}')
    return text


def integer(value: int) -> Any:
    if SMALLEST_SIGNED <= value <= LARGEST_UNSIGNED:
        return value
    try:
        return float(value)
    except OverflowError as error:
        raise unencodable(f'{class_name(error)}: {text_of(error)}')


def unencodable(reason: str) -> Failure:
    return refusal('RESULT_INVALID', reason, {'kind': 'Serialization'})


def exact(value: float) -> float:
    return value


def through_text(value: float) -> float:
    """A float read from its shortest decimal text by a parser that is off by a last place or two.

    The digits become an integer, that integer a float, and a power of ten scales it: three roundings where an
    exact parser has one.
    """
    digits, _, exponent_text = repr(abs(value)).partition('e')
    whole, _, fraction = digits.partition('.')
    if fraction == '0' and exponent_text:
        fraction = ''
    exponent = int(exponent_text or '0') - len(fraction)
    scaled = float(int(whole + fraction))
    while abs(exponent) > LARGEST_POWER and scaled != 0.0 and exponent < 0:
        scaled /= 1e308
        exponent += LARGEST_POWER
    scaled = scaled * float(f'1e{exponent}') if exponent >= 0 else scaled / float(f'1e{-exponent}')
    return math.copysign(scaled, value)
