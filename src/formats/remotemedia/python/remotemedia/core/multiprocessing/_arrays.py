"""Numbers in bulk, with NumPy when the author has it and without it when he has not.

NumPy is imported only when a payload is looked at: a node that passes audio through never pays for it.
"""

from __future__ import annotations

import array
import sys
from typing import Any, Optional

# Type code of `array`, size in bytes and NumPy's own name, by the number of `TensorType`.
TENSOR_CODES = {
    1: ('f', 4, '<f4'),
    2: ('d', 8, '<f8'),
    3: ('i', 4, '<i4'),
    4: ('q', 8, '<i8'),
    5: ('B', 1, '|u1'),
    6: ('H', 2, '<u2'),
}
_numpy: Any = None


def load_numpy() -> Any:
    """The NumPy module, or None where it is not installed."""
    global _numpy
    if _numpy is None:
        try:
            import numpy  # type: ignore[import-not-found,unused-ignore]

            _numpy = numpy
        except ImportError:
            _numpy = False
    return _numpy or None


def is_ndarray(value: Any) -> bool:
    """Tells without importing NumPy: whoever made an array has imported it."""
    numpy = sys.modules.get('numpy')
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_numpy_scalar(value: Any) -> bool:
    numpy = sys.modules.get('numpy')
    return numpy is not None and isinstance(value, numpy.generic)


def to_bytes(value: Any, type_code: str, numpy_type: str) -> bytes:
    """Little-endian bytes of an array, a list (nested or not), a scalar or a buffer, cast to one type in C order."""
    if is_ndarray(value) or is_numpy_scalar(value):
        numpy = load_numpy()
        return bytes(numpy.asarray(value, dtype=numpy_type, order='C').tobytes())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, array.array):
        typed = value if value.typecode == type_code else array.array(type_code, _cast(value, type_code))
    else:
        typed = array.array(type_code, _cast(flatten(value)[1], type_code))
    return little_endian(typed)


def little_endian(values: Any) -> bytes:
    if sys.byteorder == 'big':
        values = array.array(values.typecode, values)
        values.byteswap()
    return bytes(values.tobytes())


def from_bytes(data: bytes, type_code: str, numpy_type: str, shape: Optional[list[int]] = None) -> Any:
    """A writable array over a copy of little-endian bytes: NumPy's, or `array` where there is none."""
    numpy = load_numpy()
    if numpy is not None:
        flat = numpy.frombuffer(data, dtype=numpy_type).copy()
        return flat.reshape(shape) if shape is not None else flat
    values = array.array(type_code)
    values.frombytes(data)
    if sys.byteorder == 'big':
        values.byteswap()
    return values


def flatten(value: Any) -> tuple[list[int], list[Any]]:
    """Shape and items, in C order, of a number or of lists in lists; ValueError when they are ragged."""
    if not isinstance(value, (list, tuple, array.array)):
        return [], [value]
    if isinstance(value, array.array):
        return [len(value)], list(value)
    if not value:
        return [0], []
    parts = [flatten(item) for item in value]
    if any(shape != parts[0][0] for shape, _ in parts):
        raise ValueError('A list of lists must have rows of one length')
    return [len(value), *parts[0][0]], [number for _, numbers in parts for number in numbers]


def count_of(shape: list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _cast(values: Any, type_code: str) -> list[Any]:
    return [float(value) for value in values] if type_code in 'fd' else [int(value) for value in values]
