"""`RuntimeData`: one value that travels through a pipeline, as authors make it and read it.

A payload that came from the host keeps the form it came in until an author looks at it: text stays a `str`, audio and
tensors stay bytes. So a node that passes a frame on, or asks for its text only, converts nothing.
"""

from __future__ import annotations

import array
import json as _json
import time
from typing import Any, Optional, Union

from ..records import Record
from . import _arrays
from ._kinds import (
    FILE_FIELDS,
    AudioFormat,
    AudioMetadata,
    ControlMessageMetadata,
    ControlMessageType,
    DataType,
    FileMetadata,
    ImageMetadata,
    TensorMetadata,
    TensorType,
    TextMetadata,
    VideoFormat,
    VideoMetadata,
)
from .payloads import NATIVE_FORMATS, FactoryOrValue, from_pcm, materialise

__all__ = [
    'AudioFormat',
    'AudioMetadata',
    'ControlMessageMetadata',
    'ControlMessageType',
    'DataType',
    'FileMetadata',
    'ImageMetadata',
    'RuntimeData',
    'TensorMetadata',
    'TensorType',
    'TextMetadata',
    'VideoFormat',
    'VideoMetadata',
    'audio_to_numpy',
    'numpy_to_audio',
]

# Members of an enum are looked up slowly before Python 3.11, and this one is needed for every frame.
_TEXT = DataType.TEXT
_NEEDS = {
    DataType.AUDIO: (AudioMetadata, 'Audio'),
    DataType.VIDEO: (VideoMetadata, 'Video'),
    DataType.TENSOR: (TensorMetadata, 'Tensor'),
}


class RuntimeData(Record):
    """A payload with its kind and facts. Instances come from the class methods, `text()`, `audio()`, `json()`, …"""

    # What arrived and was not looked at yet; `payload` turns it into what authors expect.
    _raw: Any = None
    _annotations: Optional[dict[str, Any]] = None

    def __init__(
        self,
        type: DataType,
        payload: Any,
        session_id: str = '',
        timestamp: Optional[float] = None,
        metadata: Any = None,
    ) -> None:
        self.type = type
        self._payload = payload
        self.session_id = session_id
        self.timestamp = time.time() if timestamp is None else timestamp
        self.metadata = metadata
        if type is DataType.TEXT:
            if isinstance(payload, str):
                self._raw = payload
            if metadata is None:
                self.metadata = TextMetadata()
        elif type in _NEEDS:
            wanted, name = _NEEDS[type]
            if not isinstance(metadata, wanted):
                raise ValueError(f'{name} data needs {wanted.__name__}, not {_class_name(metadata)}')
        elif type is DataType.CONTROL_MESSAGE and not isinstance(metadata, ControlMessageMetadata):
            self.metadata = ControlMessageMetadata.from_json(payload)
        elif type is DataType.FILE and not isinstance(metadata, FileMetadata):
            if not isinstance(payload, dict):
                raise ValueError(f'File data needs FileMetadata or a dict, not {_class_name(payload)}')
            self.metadata = FileMetadata.from_ipc(payload)

    @property
    def payload(self) -> Any:
        """Text as UTF-8 bytes, audio and tensors as arrays, json as its value, the rest as bytes or a dict."""
        raw = self._raw
        if raw is not None:
            self._payload = materialise(self, raw)
            self._raw = None
        return self._payload

    @payload.setter
    def payload(self, value: Any) -> None:
        self._raw = None
        self._payload = value

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RuntimeData)
            and (self.type, self.session_id, self.timestamp, self.metadata)
            == (other.type, other.session_id, other.timestamp, other.metadata)
            and bool(self.payload == other.payload)
        )

    def __repr__(self) -> str:
        return (
            f'RuntimeData(type={self.type!r}, payload={self.payload!r}, session_id={self.session_id!r}, '
            f'timestamp={self.timestamp!r}, metadata={self.metadata!r})'
        )

    # -- making -------------------------------------------------------------------------------------------------------

    @classmethod
    def text(cls, text: str, session_id: str = '', language: Optional[str] = None, channel: str = 'tts') -> RuntimeData:
        """A text; `channel` says whom it is for."""
        # Made without the dataclass constructor: generators emit these by the hundred thousand.
        made = cls.__new__(cls)
        made.type = _TEXT
        made._payload = text
        if type(text) is str:
            made._raw = text
        made.session_id = session_id
        made.timestamp = time.time()
        made.metadata = TextMetadata('utf-8', language, channel)
        return made

    @classmethod
    def audio(
        cls,
        samples: Any,
        sample_rate: int,
        channels: int = 1,
        session_id: str = '',
        format: Any = AudioFormat.F32,
        num_samples: Optional[int] = None,
    ) -> RuntimeData:
        """Interleaved samples: an array (it keeps its type), a list, or bytes with a format (`'f32'`, `'i16'`…)."""
        if isinstance(session_id, AudioFormat) or session_id in NATIVE_FORMATS:
            # The native flavour: audio(bytes, rate, channels, format, num_samples).
            session_id, format = '', session_id
        format = NATIVE_FORMATS.get(format, format)
        if isinstance(samples, (bytes, bytearray, memoryview)):
            samples, format = from_pcm(bytes(samples), format), AudioFormat.F32
        raw = None
        if not _arrays.is_ndarray(samples):
            # A list: the numbers are kept as float32 until somebody asks for the array.
            samples = samples if isinstance(samples, array.array) else array.array('f', _arrays.flatten(samples)[1])
            raw = _arrays.to_bytes(samples, 'f', '<f4')
        duration = int(len(samples) / channels / sample_rate * 1000) if channels and sample_rate else 0
        metadata = AudioMetadata(sample_rate, channels, format, duration)
        made = cls(DataType.AUDIO, samples, session_id, None, metadata)
        made._raw = raw
        return made

    @classmethod
    def video(
        cls,
        frame: Any,
        width: int,
        height: int,
        format: VideoFormat = VideoFormat.RGB,
        fps: float = 30.0,
        session_id: str = '',
        codec: Any = None,
        frame_number: int = 0,
        is_keyframe: bool = False,
    ) -> RuntimeData:
        """One picture, pixels or encoded bytes; ValueError unless `frame` is an array or bytes."""
        if not (_arrays.is_ndarray(frame) or isinstance(frame, (bytes, bytearray, memoryview))):
            raise ValueError(f'A video frame is an array or bytes, not {type(frame).__name__}')
        metadata = VideoMetadata(width, height, format, fps, codec, frame_number, is_keyframe)
        return cls(DataType.VIDEO, frame, session_id, None, metadata)

    @classmethod
    def tensor(
        cls, data: Any, session_id: str = '', dtype: TensorType = TensorType.F32, extras: Any = None
    ) -> RuntimeData:
        """Numbers of any shape, sent as `dtype`."""
        if _arrays.is_ndarray(data) or _arrays.is_numpy_scalar(data):
            payload = data
            shape = [int(size) for size in data.shape]
        else:
            shape, numbers = _arrays.flatten(data)
            numpy = _arrays.load_numpy()
            payload = numpy.asarray(data) if numpy is not None else numbers
        return cls(DataType.TENSOR, payload, session_id, None, TensorMetadata(shape, dtype, extras))

    @classmethod
    def control_message(
        cls,
        message_type: ControlMessageType,
        segment_id: Optional[str] = None,
        session_id: str = '',
        **fields: Any,
    ) -> RuntimeData:
        """A hint to a neighbour; fields as in `ControlMessageMetadata`, and `metadata`."""
        extra = fields.pop('metadata', None) or {}
        metadata = ControlMessageMetadata(message_type, segment_id, extra=extra, **fields)
        payload = {'message_type': message_type.value, 'segment_id': segment_id, **fields, 'metadata': extra}
        return cls(DataType.CONTROL_MESSAGE, payload, session_id, None, metadata)

    @classmethod
    def file(
        cls,
        path: str,
        session_id: str = '',
        filename: Optional[str] = None,
        mime_type: Optional[str] = None,
        size: Optional[int] = None,
        offset: Optional[int] = None,
        length: Optional[int] = None,
        stream_id: Optional[str] = None,
    ) -> RuntimeData:
        """A file by its path, whole or a part of it."""
        values = (str(path), filename, mime_type, size, offset, length, stream_id)
        return cls(DataType.FILE, dict(zip(FILE_FIELDS, values)), session_id, None, FileMetadata(*values))

    @classmethod
    def json(cls, data: Any, session_id: str = '', **ignored: Any) -> RuntimeData:
        """Any JSON value, not only a dict."""
        return cls(DataType.JSON, data, session_id)

    @classmethod
    def binary(cls, data: Union[bytes, bytearray, memoryview], session_id: str = '') -> RuntimeData:
        """Bytes as they are."""
        return cls(DataType.BINARY, bytes(data), session_id)

    @classmethod
    def numpy(cls, data: Any, session_id: str = '') -> RuntimeData:
        """An array with its own shape and type, never taken for audio."""
        return cls(DataType.NUMPY, data, session_id)

    @classmethod
    def image(cls, data: bytes, width: int, height: int, format: str = 'rgb', session_id: str = '') -> RuntimeData:
        """A still picture."""
        return cls(DataType.IMAGE, data, session_id, None, ImageMetadata(width, height, format))

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes of an array, length of bytes or text, length of a dict's JSON, else 0."""
        payload = self.payload
        if _arrays.is_ndarray(payload):
            return int(payload.nbytes)
        if isinstance(payload, array.array):
            return len(payload) * payload.itemsize
        if isinstance(payload, (bytes, bytearray, memoryview, str)):
            return len(payload)
        if isinstance(payload, dict):
            return len(_json.dumps(payload))
        return 0

    def as_text(self, encoding: str = 'utf-8') -> str:
        """The text of a text frame; ValueError for other kinds."""
        if self.type is not _TEXT:
            raise ValueError(f'Not a text frame but {self.data_type()}')
        payload = self._payload if self._raw is None else self._raw
        if isinstance(payload, str):
            return payload
        if isinstance(payload, (bytes, bytearray, memoryview)):
            return bytes(payload).decode(encoding)
        raise TypeError(f'A text frame holds text, not {type(payload).__name__}')

    def as_numpy(self) -> Any:
        """The payload's array, or a byte array over bytes; ValueError for anything else."""
        payload = self.payload
        if _arrays.is_ndarray(payload):
            return payload
        numpy = _arrays.load_numpy()
        if isinstance(payload, array.array):
            return numpy.asarray(payload) if numpy is not None else payload
        if isinstance(payload, (bytes, bytearray, memoryview)):
            return numpy.frombuffer(payload, dtype=numpy.uint8) if numpy is not None else memoryview(payload)
        raise ValueError(f'{self.data_type()} data is no array')

    def as_audio(self) -> tuple[bytes, int, int, str, int]:
        """`(float32 LE bytes, sample_rate, channels, 'f32', samples of all channels)` (R65)."""
        if self.type is not DataType.AUDIO:
            raise ValueError(f'Not an audio frame but {self.data_type()}')
        samples = self.audio_bytes()
        return samples, self.metadata.sample_rate, self.metadata.channels, 'f32', len(samples) // 4

    def as_json(self) -> Any:
        """The value of a json frame, or the parsed text of a text frame; ValueError otherwise."""
        if self.type is DataType.JSON:
            return self._payload
        if self.type is DataType.TEXT:
            return _json.loads(self.as_text())
        raise ValueError(f'Not a json frame but {self.data_type()}')

    def as_binary(self) -> bytes:
        """The bytes of a binary, text, video or image frame; ValueError for other kinds."""
        payload = self.payload
        if isinstance(payload, (bytes, bytearray, memoryview)):
            return bytes(payload)
        raise ValueError(f'Not a binary frame but {self.data_type()}')

    def audio_bytes(self) -> bytes:
        """Interleaved float32 LE samples; what is not float32 is cast, not scaled."""
        raw: Optional[bytes] = self._raw
        return _arrays.to_bytes(self._payload, 'f', '<f4') if raw is None else raw

    def data_type(self) -> str:
        """The kind in lower case, for example `control_message`."""
        return self.type.name.lower()

    def is_text(self) -> bool:
        return self.type is _TEXT

    def is_audio(self) -> bool:
        return self.type is DataType.AUDIO

    def is_video(self) -> bool:
        return self.type is DataType.VIDEO

    def is_tensor(self) -> bool:
        return self.type is DataType.TENSOR

    def is_file(self) -> bool:
        return self.type is DataType.FILE

    def is_json(self) -> bool:
        return self.type is DataType.JSON

    def is_binary(self) -> bool:
        return self.type is DataType.BINARY

    def is_numpy(self) -> bool:
        return self.type is DataType.NUMPY

    def is_image(self) -> bool:
        return self.type is DataType.IMAGE

    def is_control_message(self) -> bool:
        return self.type is DataType.CONTROL_MESSAGE

    def is_cancellation(self) -> bool:
        """True for the control message that takes back a speculation."""
        return (
            self.type is DataType.CONTROL_MESSAGE
            and self.metadata.message_type is ControlMessageType.CANCEL_SPECULATION
        )

    def get_file_path(self) -> str:
        """The path of a file frame; ValueError for other kinds."""
        if self.type is not DataType.FILE:
            raise ValueError(f'Not a file frame but {self.data_type()}')
        return str(self.metadata.path)

    @property
    def annotations(self) -> Optional[dict[str, Any]]:
        """Free facts: those of the metadata where the kind has one, else of the frame."""
        found: Optional[dict[str, Any]] = getattr(self.metadata, 'annotations', None)
        return self._annotations if found is None else found

    @annotations.setter
    def annotations(self, value: Optional[dict[str, Any]]) -> None:
        if self.metadata is not None:
            self.metadata.annotations = value
        else:
            self._annotations = value

    def to_bytes(self) -> bytes:
        """A pickle of this frame, for the author's own use."""
        import pickle

        return pickle.dumps(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> RuntimeData:
        """Reads `to_bytes()`. A pickle runs code: only for data of your own making."""
        import pickle

        loaded = pickle.loads(data)
        if not isinstance(loaded, cls):
            raise ValueError(f'The pickle holds {type(loaded).__name__}, not {cls.__name__}')
        return loaded


def _class_name(value: Any) -> str:
    return type(value).__name__


for _name, _kind, _read in (('text', DataType.TEXT, 'as_text'), ('audio', DataType.AUDIO, 'payload')):
    setattr(RuntimeData, _name, FactoryOrValue(RuntimeData.__dict__[_name], _kind, _read))


def numpy_to_audio(samples: Any, sample_rate: int, channels: int = 1) -> RuntimeData:
    """An audio frame over an array, as float32."""
    if _arrays.is_ndarray(samples) and samples.dtype.name != 'float32':
        samples = samples.astype('float32')
    return RuntimeData.audio(samples, sample_rate, channels)


def audio_to_numpy(data: RuntimeData) -> Any:
    """The samples of an audio frame as a float32 array."""
    if not data.is_audio():
        raise ValueError(f'Not an audio frame but {data.data_type()}')
    payload = data.payload
    if _arrays.is_ndarray(payload) and payload.dtype.name != 'float32':
        return payload.astype('float32')
    return payload
