"""Values as Python programs write and read them, to and from the dicts that cross to the host.

| Python                                                         | kind    | and back                               |
|----------------------------------------------------------------|---------|----------------------------------------|
| `str`, `{'type': 'text', 'data'}`                              | text    | `Text`, a `str` with its channel       |
| `{'type': 'audio', 'samples', 'sample_rate', 'channels'?}`     | audio   | the same, samples as `array('f')`      |
| `{'type': 'json', 'value', 'metadata'?}`, and anything else    | json    | the same dict                          |
| `bytes`, a list of ints 0-255, `{'type': 'binary', 'data'}`    | binary  | `bytes`                                |
| `numpy.ndarray`                                                | numpy   | `ArrayDict`: `numpy.asarray()` takes it |
| `{'type': 'tensor' | 'video' | 'image' | 'file' | 'control' …}` | of type | the same dict, with its data           |
| `RuntimeData` of this package                                  | its own |                                        |
"""

from __future__ import annotations

import array
import sys
from importlib import import_module
from typing import Any, Optional

from ..core.multiprocessing import _arrays

_KINDS = ('text', 'audio', 'json', 'binary', 'tensor', 'numpy', 'video', 'image', 'file', 'control')
_TENSOR_DTYPES = {'f32': '<f4', 'f64': '<f8', 'i32': '<i4', 'i64': '<i8', 'u8': '|u1', 'u16': '<u2'}


class Text(str):
    """A text that came out, with what it carries beside its letters."""

    channel: Optional[str] = None
    language: Optional[str] = None
    annotations: Optional[dict[str, Any]] = None


class ArrayDict(dict):  # type: ignore[type-arg]
    """A tensor or array as a dict with `data`, `shape` and `dtype`; `numpy.asarray(it)` is the array."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        numpy: Any = _arrays.load_numpy()
        made = numpy.frombuffer(self['data'], dtype=_TENSOR_DTYPES.get(self['dtype'], self['dtype']))
        made = made.reshape(self['shape'])
        return made.astype(dtype) if dtype is not None else made.copy()


def marshal_in(value: Any) -> dict[str, Any]:
    """What the host is sent for a value."""
    if isinstance(value, str):
        return {'type': 'text', 'data': str(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {'type': 'binary', 'data': bytes(value)}
    if _arrays.is_ndarray(value):
        return _array_fields(value)
    if isinstance(value, dict):
        return _tagged(value) if value.get('type') in _KINDS else {'type': 'json', 'value': value}
    if isinstance(value, list) and all(type(item) is int and 0 <= item <= 255 for item in value):
        return {'type': 'binary', 'data': bytes(value)}
    if _is_runtime_data(value):
        from ..core.multiprocessing.wire import encode

        return encode(value)
    return {'type': 'json', 'value': value}


def marshal_out(data: dict[str, Any]) -> Any:
    """What a Python program sees of a value of the host."""
    kind = data['type']
    if kind == 'text':
        text = Text(data['data'])
        for name in ('channel', 'language', 'annotations'):
            if data.get(name) is not None:
                setattr(text, name, data[name])
        return text
    if kind == 'binary':
        return data['data']
    if kind == 'audio':
        return {**data, 'samples': float_array(data['samples'])}
    if kind == 'json':
        out = {'type': 'json', 'value': data.get('value')}
        if data.get('annotations') is not None:
            out['metadata'] = data['annotations']
        return out
    return ArrayDict(data) if kind in ('tensor', 'numpy') else data


def float_array(samples: bytes) -> array.array[float]:
    """Float32 little-endian bytes as an array of this machine."""
    numbers = array.array('f')
    numbers.frombytes(samples)
    if sys.byteorder == 'big':
        numbers.byteswap()
    return numbers


def numpy_to_audio(samples: Any, sample_rate: int, channels: int = 1) -> dict[str, Any]:
    """An audio value over an array (or list) of samples, as `send_input` takes it and `recv_audio` gives it."""
    return {'type': 'audio', 'samples': samples, 'sample_rate': sample_rate, 'channels': channels}


def audio_to_numpy(audio: Any) -> Any:
    """The interleaved samples of an audio value as a float32 array; needs NumPy. ValueError for other values."""
    numpy: Any = import_module('numpy')
    if _is_runtime_data(audio):
        from ..core.multiprocessing.data import audio_to_numpy as of_frame

        return numpy.asarray(of_frame(audio), dtype=numpy.float32)
    if not isinstance(audio, dict) or audio.get('type') != 'audio':
        raise ValueError(f'An audio value is expected, not {type(audio).__name__}')
    samples = audio['samples']
    if isinstance(samples, (bytes, bytearray, memoryview)):
        return numpy.frombuffer(samples, dtype='<f4')
    return numpy.asarray(samples, dtype=numpy.float32)


def _tagged(value: dict[str, Any]) -> dict[str, Any]:
    kind = value['type']
    if kind == 'audio' and 'samples' in value:
        return {**value, 'samples': _arrays.to_bytes(value['samples'], 'f', '<f4')}
    if kind == 'json' and isinstance(value.get('metadata'), dict):
        plain = {key: member for key, member in value.items() if key != 'metadata'}
        return {'annotations': value['metadata'], **plain}
    if _arrays.is_ndarray(value.get('data')):
        array_fields = _array_fields(value['data'])
        if kind == 'tensor':
            names = {dtype: name for name, dtype in _TENSOR_DTYPES.items()}
            array_fields['dtype'] = names.get(array_fields['dtype'], array_fields['dtype'])
        return {**array_fields, **{key: member for key, member in value.items() if key != 'data'}}
    return value


def _array_fields(value: Any) -> dict[str, Any]:
    if value.dtype.hasobject or value.dtype.names is not None:
        raise TypeError(f"An array of type '{value.dtype}' cannot travel, numbers can")
    little = value.dtype.newbyteorder('<')
    data = value.astype(little, copy=False).tobytes()
    return {'type': 'numpy', 'data': data, 'shape': [int(size) for size in value.shape], 'dtype': little.str}


def _is_runtime_data(value: Any) -> bool:
    """Tells without importing the module: whoever made a frame has imported it."""
    module = sys.modules.get('remotemedia.core.multiprocessing.data')
    return module is not None and isinstance(value, module.RuntimeData)
