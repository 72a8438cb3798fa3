"""Payloads before and after an author looks at them."""

from __future__ import annotations

import array
from typing import Any

from . import _arrays
from ._kinds import AudioFormat, DataType

NATIVE_FORMATS = {'f32': AudioFormat.F32, 'i16': AudioFormat.I16, 'i32': AudioFormat.I32}
_PCM = {AudioFormat.I16: ('h', '<i2', 32768.0), AudioFormat.I32: ('i', '<i4', 2147483648.0)}


class FactoryOrValue:
    """`RuntimeData.text(…)` makes a frame; `frame.text` of a text frame reads it, as some documentation has it."""

    def __init__(self, make: Any, kind: DataType, read: str) -> None:
        self._make, self._kind, self._read = make, kind, read
        self._owner: Any = None
        self._bound: Any = None
        self.__doc__ = make.__doc__

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            # Asked for once per output of a generator: bound once per class.
            if owner is not self._owner:
                self._owner, self._bound = owner, self._make.__get__(None, owner)
            return self._bound
        if instance.type is self._kind:
            value = getattr(instance, self._read)
            return value() if callable(value) else value
        return self._make.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        raise AttributeError('This attribute is read-only, make a new frame instead')


def from_pcm(data: bytes, format: AudioFormat) -> Any:
    """Whole-number samples become float32 in [-1, 1]; float32 bytes stay."""
    if format not in _PCM:
        values = array.array('f')
        values.frombytes(data)
        return values
    code, numpy_type, scale = _PCM[format]
    integers = array.array(code)
    integers.frombytes(data)
    return array.array('f', [value / scale for value in integers])


def materialise(data: Any, raw: Any) -> Any:
    """What authors expect as the payload of a frame that still has what came from the host."""
    if data.type is DataType.TEXT:
        return raw.encode('utf-8', 'replace')
    if data.type is DataType.AUDIO:
        return _arrays.from_bytes(raw, 'f', '<f4')
    if data.type is DataType.TENSOR:
        code, _, numpy_type = _arrays.TENSOR_CODES[data.metadata.dtype]
        return _arrays.from_bytes(raw, code, numpy_type, data.metadata.shape)
    numpy = _arrays.load_numpy()
    data_bytes, shape, dtype = raw
    return numpy.frombuffer(data_bytes, dtype=dtype).copy().reshape(shape) if numpy else memoryview(data_bytes)
