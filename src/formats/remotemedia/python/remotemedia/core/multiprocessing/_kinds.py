"""What a frame can be: kinds, formats and the facts that travel beside a payload."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any, Optional

from ..records import Record


class DataType(IntEnum):
    """Numbers of the frame header; 32 and above are ours."""

    AUDIO = 1
    VIDEO = 2
    TEXT = 3
    TENSOR = 4
    CONTROL_MESSAGE = 5
    NUMPY = 6
    FILE = 7
    JSON = 9
    BINARY = 32
    IMAGE = 33


class AudioFormat(IntEnum):
    F32 = 1
    I16 = 2
    I24 = 3
    I32 = 4
    U8 = 5


class VideoFormat(IntEnum):
    RGB = 1
    RGBA = 2
    YUV420 = 3
    YUV422 = 4
    YUV444 = 5
    BGR = 6


class TensorType(IntEnum):
    F32 = 1
    F64 = 2
    I32 = 3
    I64 = 4
    U8 = 5
    U16 = 6


class ControlMessageType(Enum):
    CANCEL_SPECULATION = 'CancelSpeculation'
    BATCH_HINT = 'BatchHint'
    DEADLINE_WARNING = 'DeadlineWarning'


# Fields of each control message, in the order of its JSON.
CONTROL_FIELDS = {
    ControlMessageType.CANCEL_SPECULATION: ('from_timestamp', 'to_timestamp'),
    ControlMessageType.BATCH_HINT: ('suggested_batch_size',),
    ControlMessageType.DEADLINE_WARNING: ('deadline_us',),
}
FILE_FIELDS = ('path', 'filename', 'mime_type', 'size', 'offset', 'length', 'stream_id')


class AudioMetadata(Record):
    def __init__(
        self,
        sample_rate: int,
        channels: int,
        format: AudioFormat = AudioFormat.F32,
        duration_ms: int = 0,
        annotations: Optional[dict[str, Any]] = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self.format = format
        self.duration_ms = duration_ms
        self.annotations = annotations


class VideoMetadata(Record):
    def __init__(
        self,
        width: int,
        height: int,
        format: VideoFormat = VideoFormat.RGB,
        fps: float = 30.0,
        codec: Any = None,
        frame_number: int = 0,
        is_keyframe: bool = False,
    ) -> None:
        self.width = width
        self.height = height
        self.format = format
        self.fps = fps
        self.codec = codec
        self.frame_number = frame_number
        self.is_keyframe = is_keyframe


class TextMetadata(Record):
    def __init__(
        self,
        encoding: str = 'utf-8',
        language: Optional[str] = None,
        channel: str = 'tts',
    ) -> None:
        self.encoding = encoding
        self.language = language
        self.channel = channel


class TensorMetadata(Record):
    def __init__(
        self,
        shape: list[int],
        dtype: TensorType = TensorType.F32,
        extras: Any = None,
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.extras = extras


class ImageMetadata(Record):
    def __init__(
        self,
        width: int,
        height: int,
        format: str = 'rgb',
    ) -> None:
        self.width = width
        self.height = height
        self.format = format


class ControlMessageMetadata(Record):
    def __init__(
        self,
        message_type: ControlMessageType,
        segment_id: Optional[str] = None,
        from_timestamp: Optional[int] = None,
        to_timestamp: Optional[int] = None,
        suggested_batch_size: Optional[int] = None,
        deadline_us: Optional[int] = None,
        extra: Optional[dict[str, Any]] = None,
    ) -> None:
        self.message_type = message_type
        self.segment_id = segment_id
        self.from_timestamp = from_timestamp
        self.to_timestamp = to_timestamp
        self.suggested_batch_size = suggested_batch_size
        self.deadline_us = deadline_us
        self.extra: dict[str, Any] = {} if extra is None else extra

    @classmethod
    def from_json(cls, message: Any) -> ControlMessageMetadata:
        """Reads `{"message_type": {"BatchHint": {...}}, ...}`; ValueError when the type is none of the three."""
        if isinstance(message, (bytes, bytearray, str)):
            import json

            message = json.loads(message)
        if not isinstance(message, dict):
            raise ValueError(f'A control message is an object, not {type(message).__name__}')
        tagged = message.get('message_type')
        if isinstance(tagged, dict) and len(tagged) == 1:
            ((name, fields),) = tagged.items()
        else:
            name, fields = tagged, {}
        try:
            kind = ControlMessageType(name)
        except ValueError:
            raise ValueError(f"Unknown control message type '{name}'") from None
        fields = fields if isinstance(fields, dict) else {}
        # Of the three kinds only a cancellation speaks of a segment.
        segment = message.get('segment_id') if kind is ControlMessageType.CANCEL_SPECULATION else None
        values = {key: fields.get(key) for key in CONTROL_FIELDS[kind]}
        return cls(kind, segment, extra=dict(message.get('metadata') or {}), **values)


class FileMetadata(Record):
    def __init__(
        self,
        path: str,
        filename: Optional[str] = None,
        mime_type: Optional[str] = None,
        size: Optional[int] = None,
        offset: Optional[int] = None,
        length: Optional[int] = None,
        stream_id: Optional[str] = None,
    ) -> None:
        self.path = path
        self.filename = filename
        self.mime_type = mime_type
        self.size = size
        self.offset = offset
        self.length = length
        self.stream_id = stream_id

    @classmethod
    def from_ipc(cls, fields: dict[str, Any]) -> FileMetadata:
        """Reads a file payload, where an empty text and 0 mean that nothing was said."""
        path, *rest = (fields.get(name) or None for name in FILE_FIELDS)
        return cls(path or '', *rest)
