"""RuntimeData to and from the dict that crosses Charmer's wire: snake case names, real bytes, nothing lost (R63, R64).

    {'type': 'text', 'data': str, 'channel'?, 'language'?}
    {'type': 'audio', 'samples': float32 LE bytes, 'sample_rate', 'channels'}
    {'type': 'json', 'value'}            {'type': 'binary', 'data': bytes}
    {'type': 'tensor', 'data': bytes, 'shape', 'dtype': 'f32', 'extras'?}
    {'type': 'numpy', 'data': bytes, 'shape', 'dtype': '<f4'}
    {'type': 'video', 'data': bytes, 'width', 'height', 'format', 'fps', 'codec'?, 'frame_number', 'is_keyframe'}
    {'type': 'image', 'data': bytes, 'width', 'height', 'format'}
    {'type': 'file', 'path', 'filename'?, 'mime_type'?, 'size'?, 'offset'?, 'length'?, 'stream_id'?}
    {'type': 'control', 'message_type', 'segment_id'?, 'timestamp_ms'?, 'metadata'?, 'fields'?}

Each may carry `session` and `annotations`.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Optional

from . import _arrays
from ._kinds import (
    CONTROL_FIELDS,
    FILE_FIELDS,
    AudioMetadata,
    ControlMessageMetadata,
    DataType,
    FileMetadata,
    ImageMetadata,
    TensorMetadata,
    TensorType,
    TextMetadata,
    VideoFormat,
    VideoMetadata,
)
from .data import RuntimeData

# Members of an enum are looked up slowly before Python 3.11, and this one is needed for every frame.
_TEXT = DataType.TEXT
_CODECS = {1: 'vp8', 2: 'h264', 3: 'av1'}
_CODEC_NUMBERS = {name: number for number, name in _CODECS.items()}
_TENSOR_NAMES = {kind: kind.name.lower() for kind in TensorType}
_TENSORS = {name: kind for kind, name in _TENSOR_NAMES.items()}
_VIDEO_NAMES = {kind: kind.name.lower() for kind in VideoFormat}
_VIDEOS = {name: kind for kind, name in _VIDEO_NAMES.items()}


class UndecodableError(ValueError):
    """An input that is no frame (RW27)."""


def decode(value: Any, session: str) -> RuntimeData:
    """A frame for the author, of the given session unless it names another; UndecodableError says what is wrong."""
    if isinstance(value, str):
        value = {'type': 'text', 'data': value}
    elif isinstance(value, (bytes, bytearray, memoryview)):
        value = {'type': 'binary', 'data': value}
    if not isinstance(value, dict):
        raise UndecodableError(f'An input is an object with a type, not {type(value).__name__}')
    kind = value.get('type')
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise UndecodableError(f"Unknown type '{kind}' of an input, expected one of {', '.join(_READERS)}")
    try:
        data = read(value)
    except UndecodableError:
        raise
    except KeyError as error:
        raise UndecodableError(f"An input of type '{kind}' needs '{error.args[0]}'") from error
    except (ValueError, TypeError) as error:
        raise UndecodableError(f"An input of type '{kind}' cannot be read: {error}") from error
    data.session_id = value.get('session') or session
    if value.get('annotations') is not None:
        data.annotations = value['annotations']
    return data


def encode(data: RuntimeData) -> dict[str, Any]:
    """The dict of a frame. Its session is the turn's, so the caller adds it where it is needed."""
    if data.type is _TEXT:
        value: dict[str, Any] = {'type': 'text', 'data': data.as_text()}
        metadata = data.metadata
        channel = metadata.channel
        if channel != 'tts' and channel:
            value['channel'] = channel
        if metadata.language is not None:
            value['language'] = metadata.language
        annotations = getattr(metadata, 'annotations', None)
    else:
        value = _WRITERS[data.type](data)
        annotations = data.annotations
    if annotations is not None:
        value['annotations'] = annotations
    return value


def _unread(kind: DataType, raw: Any, metadata: Any) -> RuntimeData:
    data = RuntimeData.__new__(RuntimeData)
    data.type, data._payload, data._raw = kind, None, raw
    data.timestamp, data.metadata = time.time(), metadata
    return data


def _bytes(value: dict[str, Any], name: str = 'data') -> bytes:
    found = value[name]
    if not isinstance(found, (bytes, bytearray, memoryview)):
        raise UndecodableError(f"'{name}' of an input of type '{value['type']}' is bytes, not {type(found).__name__}")
    return bytes(found)


def _number(value: dict[str, Any], name: str, default: Optional[int] = None) -> int:
    found = value[name] if default is None else value.get(name, default)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found != int(found) or found < 0:
        raise UndecodableError(f"'{name}' of an input of type '{value['type']}' is a whole number, not {found!r}")
    return int(found)


def _shape(value: dict[str, Any]) -> list[int]:
    shape = value['shape']
    if not isinstance(shape, (list, tuple)) or any(not isinstance(size, int) or size < 0 for size in shape):
        raise UndecodableError(f"'shape' of an input of type '{value['type']}' is a list of whole numbers")
    return list(shape)


def _read_text(value: dict[str, Any]) -> RuntimeData:
    text = value['data']
    if not isinstance(text, str):
        raise UndecodableError(f"'data' of an input of type 'text' is a text, not {type(text).__name__}")
    return _unread(DataType.TEXT, text, TextMetadata('utf-8', value.get('language'), value.get('channel') or 'tts'))


def _read_audio(value: dict[str, Any]) -> RuntimeData:
    samples, rate, channels = _bytes(value, 'samples'), _number(value, 'sample_rate'), _number(value, 'channels', 1)
    if len(samples) % 4:
        raise UndecodableError(f"'samples' of an input of type 'audio' has {len(samples)} bytes, expected float32")
    duration = int(len(samples) // 4 / channels / rate * 1000) if channels and rate else 0
    return _unread(DataType.AUDIO, samples, AudioMetadata(rate, channels, duration_ms=duration))


def _read_tensor(value: dict[str, Any]) -> RuntimeData:
    data, shape = _bytes(value), _shape(value)
    # As in the original: an unknown type is read as float32, and a shape that does not fit leaves the numbers flat.
    kind = _TENSORS.get(value.get('dtype', 'f32'), TensorType.F32)
    count, rest = divmod(len(data), _arrays.TENSOR_CODES[kind][1])
    if rest:
        raise UndecodableError(f"'data' of an input of type 'tensor' has {len(data)} bytes, not whole numbers")
    fits = bool(shape) and _arrays.count_of(shape) == count
    return _unread(DataType.TENSOR, data, TensorMetadata(shape if fits else [count], kind, value.get('extras')))


def _read_numpy(value: dict[str, Any]) -> RuntimeData:
    data, shape, dtype = _bytes(value), _shape(value), value['dtype']
    size = int(dtype[2:]) if isinstance(dtype, str) and dtype[2:].isdigit() else 0
    if (
        not size
        or dtype[0] not in '<>|='
        or _arrays.count_of(shape) * (size * 4 if dtype[1] == 'U' else size) != len(data)
    ):
        raise UndecodableError(f'An array of type {dtype!r} and shape {shape} does not fit {len(data)} bytes')
    return _unread(DataType.NUMPY, (data, shape, dtype), None)


def _read_video(value: dict[str, Any]) -> RuntimeData:
    codec = value.get('codec')
    metadata = VideoMetadata(
        _number(value, 'width'),
        _number(value, 'height'),
        _VIDEOS.get(str(value.get('format', 'rgb')).lower(), VideoFormat.RGB),
        float(value.get('fps', 30.0)),
        _CODEC_NUMBERS.get(codec, codec) if isinstance(codec, str) else codec,
        _number(value, 'frame_number', 0),
        bool(value.get('is_keyframe', False)),
    )
    return RuntimeData(DataType.VIDEO, _bytes(value), metadata=metadata)


def _read_image(value: dict[str, Any]) -> RuntimeData:
    metadata = ImageMetadata(_number(value, 'width'), _number(value, 'height'), str(value.get('format', 'rgb')))
    return RuntimeData(DataType.IMAGE, _bytes(value), metadata=metadata)


def _read_file(value: dict[str, Any]) -> RuntimeData:
    if not isinstance(value['path'], str):
        raise UndecodableError("'path' of an input of type 'file' is a text")
    payload: dict[str, Any] = {name: value.get(name) for name in FILE_FIELDS}
    return RuntimeData(DataType.FILE, payload, metadata=FileMetadata(**payload))


def _read_control(value: dict[str, Any]) -> RuntimeData:
    message_type = value['message_type']
    if isinstance(message_type, str) and isinstance(value.get('fields'), dict):
        message_type = {message_type: value['fields']}
    milliseconds = value.get('timestamp_ms')
    payload = {
        'message_type': message_type,
        'segment_id': value.get('segment_id'),
        'timestamp_ms': milliseconds,
        'metadata': value.get('metadata') or {},
    }
    timestamp = milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None
    return RuntimeData(DataType.CONTROL_MESSAGE, payload, '', timestamp, ControlMessageMetadata.from_json(payload))


_READERS: dict[str, Callable[[dict[str, Any]], RuntimeData]] = {
    'text': _read_text,
    'audio': _read_audio,
    'json': lambda value: RuntimeData.json(value['value']),
    'binary': lambda value: RuntimeData.binary(_bytes(value)),
    'tensor': _read_tensor,
    'numpy': _read_numpy,
    'video': _read_video,
    'image': _read_image,
    'file': _read_file,
    'control': _read_control,
}


def _write_audio(data: RuntimeData) -> dict[str, Any]:
    metadata = data.metadata
    return {
        'type': 'audio',
        'samples': data.audio_bytes(),
        'sample_rate': metadata.sample_rate,
        'channels': metadata.channels,
    }


def tensor_bytes(data: RuntimeData) -> tuple[bytes, list[int]]:
    """Numbers of a tensor, cast to its declared type, and its shape."""
    metadata = data.metadata
    if data._raw is not None:
        return data._raw, list(metadata.shape)
    code, _, numpy_type = _arrays.TENSOR_CODES[metadata.dtype]
    payload = data._payload
    shape = payload.shape if hasattr(payload, 'shape') else metadata.shape
    return _arrays.to_bytes(payload, code, numpy_type), [int(size) for size in shape]


def _write_tensor(data: RuntimeData) -> dict[str, Any]:
    numbers, shape = tensor_bytes(data)
    value: dict[str, Any] = {
        'type': 'tensor',
        'data': numbers,
        'shape': shape,
        'dtype': _TENSOR_NAMES[data.metadata.dtype],
    }
    if data.metadata.extras is not None:
        value['extras'] = data.metadata.extras
    return value


def _write_numpy(data: RuntimeData) -> dict[str, Any]:
    if data._raw is not None:
        numbers, shape, dtype = data._raw
        return {'type': 'numpy', 'data': numbers, 'shape': list(shape), 'dtype': dtype}
    array = data._payload
    if not _arrays.is_ndarray(array):
        numpy = _arrays.load_numpy()
        if numpy is None:
            raise TypeError(f"A numpy frame holds an array, not '{type(array).__name__}'")
        array = numpy.asarray(array)
    if array.dtype.hasobject or array.dtype.names is not None:
        raise TypeError(f"An array of type '{array.dtype}' cannot leave the process")
    little = array.dtype.newbyteorder('<')
    # `tobytes` writes C order whatever the array's own order is.
    return {
        'type': 'numpy',
        'data': array.astype(little, copy=False).tobytes(),
        'shape': [int(size) for size in array.shape],
        'dtype': little.str,
    }


def picture_bytes(data: RuntimeData) -> bytes:
    """Pixels or encoded bytes of a video or image frame."""
    payload = data.payload
    return payload.tobytes() if _arrays.is_ndarray(payload) else bytes(payload)


def _write_video(data: RuntimeData) -> dict[str, Any]:
    metadata = data.metadata
    value: dict[str, Any] = {
        'type': 'video',
        'data': picture_bytes(data),
        'width': metadata.width,
        'height': metadata.height,
        'format': _VIDEO_NAMES.get(metadata.format, str(metadata.format)),
        'fps': metadata.fps,
        'frame_number': metadata.frame_number,
        'is_keyframe': bool(metadata.is_keyframe),
    }
    if metadata.codec is not None:
        value['codec'] = _CODECS.get(metadata.codec, str(metadata.codec))
    return value


def _write_image(data: RuntimeData) -> dict[str, Any]:
    facts = data.metadata
    return {
        'type': 'image',
        'data': picture_bytes(data),
        'width': facts.width,
        'height': facts.height,
        'format': facts.format,
    }


def _write_file(data: RuntimeData) -> dict[str, Any]:
    facts = {name: getattr(data.metadata, name) for name in FILE_FIELDS}
    return {'type': 'file', **{name: value for name, value in facts.items() if value is not None}}


def _write_control(data: RuntimeData) -> dict[str, Any]:
    metadata = data.metadata
    value: dict[str, Any] = {
        'type': 'control',
        'message_type': metadata.message_type.value,
        'timestamp_ms': int((data.timestamp or 0) * 1000),
        'metadata': metadata.extra,
        'fields': {name: getattr(metadata, name) for name in CONTROL_FIELDS[metadata.message_type]},
    }
    if metadata.segment_id is not None:
        value['segment_id'] = metadata.segment_id
    return value


_WRITERS: dict[DataType, Callable[[RuntimeData], dict[str, Any]]] = {
    DataType.AUDIO: _write_audio,
    DataType.JSON: lambda data: {'type': 'json', 'value': data.payload},
    DataType.BINARY: lambda data: {'type': 'binary', 'data': data.as_binary()},
    DataType.TENSOR: _write_tensor,
    DataType.NUMPY: _write_numpy,
    DataType.VIDEO: _write_video,
    DataType.IMAGE: _write_image,
    DataType.FILE: _write_file,
    DataType.CONTROL_MESSAGE: _write_control,
}
