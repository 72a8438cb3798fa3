"""The frame layout of the original, little endian, for interoperation and for the runner that is started by hand.

    u8 type | u16 session_len | session utf8 | u64 timestamp_us | u32 payload_len | payload

Types up to 9 are the original's; 32 and above are ours: binary, image, error (JSON), control (a text such as `READY`).
"""

from __future__ import annotations

import json
from struct import Struct
from struct import error as StructError
from typing import Any, Callable, Optional

from . import _arrays
from ._kinds import (
    CONTROL_FIELDS,
    FILE_FIELDS,
    AudioMetadata,
    DataType,
    ImageMetadata,
    TensorMetadata,
    TensorType,
    VideoFormat,
    VideoMetadata,
)
from .data import RuntimeData
from .wire import picture_bytes, tensor_bytes

END_OF_INPUT = 8
ERROR = 34
CONTROL_TEXT = 35
MAX_CHANNEL_BYTES = 255

_HEAD, _TAIL = Struct('<BH'), Struct('<QI')
_AUDIO, _VIDEO, _U32 = Struct('<IHI'), Struct('<IIBBQB'), Struct('<I')
_U16, _U64, _I64 = Struct('<H'), Struct('<Q'), Struct('<q')


class FrameError(ValueError):
    """Bytes that are no frame, or a frame of a kind that is no input."""


class Frame:
    """A frame as it came: its type, session and timestamp (µs), and the bytes of its payload."""

    def __init__(self, type: int, session: str, timestamp_us: int, payload: bytes) -> None:
        self.type, self.session, self.timestamp_us, self.payload = type, session, timestamp_us, payload


def pack(type: int, session: str, timestamp_us: int, payload: bytes) -> bytes:
    name = session.encode('utf-8')
    return b''.join((_HEAD.pack(type, len(name)), name, _TAIL.pack(timestamp_us, len(payload)), payload))


def unpack(data: bytes) -> Frame:
    """Splits a frame; FrameError when bytes are missing or left over."""
    try:
        kind, length = _HEAD.unpack_from(data, 0)
        timestamp, size = _TAIL.unpack_from(data, 3 + length)
    except StructError:
        raise FrameError(f'A frame of {len(data)} bytes is too short') from None
    start = 15 + length
    if len(data) != start + size:
        raise FrameError(f'A frame says {size} bytes of payload and has {len(data) - start}')
    return Frame(kind, data[3 : 3 + length].decode('utf-8', 'replace'), timestamp, data[start:])


def encode_frame(data: RuntimeData, session: Optional[str] = None, *, literal: bool = False) -> bytes:
    """Bytes of an output. `literal`: JSON that is no dict is written as Python text, as the original does (RW18)."""
    timestamp = int((data.timestamp or 0) * 1_000_000)
    if data.type is DataType.JSON and literal and not isinstance(data.payload, dict):
        payload = str(data.payload).encode('utf-8')
    else:
        payload = _WRITERS[data.type](data)
    return pack(int(data.type), session or data.session_id or 'default', timestamp, payload)


def encode_end(session: str, timestamp_us: int) -> bytes:
    return pack(END_OF_INPUT, session, timestamp_us, b'')


def decode_frame(data: bytes) -> RuntimeData:
    """The input in a frame. As in the original only files and control messages carry their session."""
    frame = unpack(data)
    read = _READERS.get(frame.type)
    if read is None:
        raise FrameError(f'A frame of type {frame.type} is no input')
    try:
        made = read(frame)
    except FrameError:
        raise
    except (StructError, ValueError, IndexError) as error:
        raise FrameError(f'A frame of type {frame.type} cannot be read: {error}') from error
    return made


def _write_text(data: RuntimeData) -> bytes:
    channel = data.metadata.channel
    text = data.as_text().encode('utf-8')
    if not channel or channel == 'tts':
        return text
    tag = channel.encode('utf-8')[:MAX_CHANNEL_BYTES]
    return b''.join((b'\0', bytes((len(tag),)), tag, text))


def _json_or_nothing(value: Any) -> bytes:
    return b'' if value is None else json.dumps(value).encode('utf-8')


def _write_audio(data: RuntimeData) -> bytes:
    facts = _json_or_nothing(data.annotations)
    head = _AUDIO.pack(data.metadata.sample_rate, data.metadata.channels, len(facts))
    return b''.join((head, facts, data.audio_bytes()))


def _write_video(data: RuntimeData) -> bytes:
    facts = data.metadata
    codec = facts.codec if isinstance(facts.codec, int) else 0
    head = _VIDEO.pack(
        facts.width, facts.height, int(facts.format), codec, facts.frame_number, int(bool(facts.is_keyframe))
    )
    return head + picture_bytes(data)


def _write_tensor(data: RuntimeData) -> bytes:
    numbers, shape = tensor_bytes(data)
    extras = _json_or_nothing(data.metadata.extras)
    sizes = b''.join(_U32.pack(size) for size in shape)
    return b''.join(
        (bytes((len(shape),)), sizes, bytes((data.metadata.dtype,)), _U32.pack(len(extras)), extras, numbers)
    )


def _write_numpy(data: RuntimeData) -> bytes:
    from .wire import encode

    value = encode(data)
    shape, dtype = value['shape'], value['dtype'].encode('ascii')
    strides: list[int] = []
    step = len(value['data']) // max(_arrays.count_of(shape), 1)
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return b''.join(
        (
            _U16.pack(len(shape)),
            *(_U64.pack(size) for size in shape),
            _U16.pack(len(strides)),
            *(_I64.pack(stride) for stride in strides),
            _U16.pack(len(dtype)),
            dtype,
            b'\x01',
            value['data'],
        )
    )


def _write_control(data: RuntimeData) -> bytes:
    facts = data.metadata
    message = {
        'message_type': {
            facts.message_type.value: {name: getattr(facts, name) for name in CONTROL_FIELDS[facts.message_type]}
        },
        'segment_id': facts.segment_id,
        'timestamp_ms': int((data.timestamp or 0) * 1000),
        'metadata': facts.extra,
    }
    return json.dumps(message).encode('utf-8')


def _write_file(data: RuntimeData) -> bytes:
    facts = data.metadata
    texts = [(getattr(facts, name) or '').encode('utf-8') for name in ('path', 'filename', 'mime_type', 'stream_id')]
    numbers = [getattr(facts, name) or 0 for name in ('size', 'offset', 'length')]
    *ahead, last = (_U16.pack(len(text)) + text for text in texts)
    return b''.join((*ahead, *(_U64.pack(number) for number in numbers), last))


def _write_image(data: RuntimeData) -> bytes:
    facts = {'width': data.metadata.width, 'height': data.metadata.height, 'format': data.metadata.format}
    head = json.dumps(facts).encode('utf-8')
    return b''.join((_U32.pack(len(head)), head, picture_bytes(data)))


_WRITERS: dict[DataType, Callable[[RuntimeData], bytes]] = {
    DataType.TEXT: _write_text,
    DataType.AUDIO: _write_audio,
    DataType.VIDEO: _write_video,
    DataType.TENSOR: _write_tensor,
    DataType.NUMPY: _write_numpy,
    DataType.CONTROL_MESSAGE: _write_control,
    DataType.FILE: _write_file,
    DataType.JSON: lambda data: json.dumps(data.payload).encode('utf-8'),
    DataType.BINARY: lambda data: data.as_binary(),
    DataType.IMAGE: _write_image,
}


def _read_text(frame: Frame) -> RuntimeData:
    payload, channel = frame.payload, 'tts'
    if payload[:1] == b'\0' and len(payload) > 1 and len(payload) >= 2 + payload[1]:
        end = 2 + payload[1]
        tag = payload[2:end].decode('utf-8', 'replace')
        # A text that begins with NUL looks the same (RW24); the original reads it this way too.
        channel, payload = tag or 'tts', payload[end:]
    return RuntimeData.text(payload.decode('utf-8', 'replace'), channel=channel)


def _read_audio(frame: Frame) -> RuntimeData:
    rate, channels, length = _AUDIO.unpack_from(frame.payload)
    end = _AUDIO.size + length
    samples = frame.payload[end:]
    if len(samples) % 4 or end > len(frame.payload):
        raise FrameError(f'{len(samples)} bytes of audio are no float32 samples')
    duration = int(len(samples) // 4 / channels / rate * 1000) if channels and rate else 0
    made = RuntimeData(DataType.AUDIO, None, metadata=AudioMetadata(rate, channels, duration_ms=duration))
    made._raw = samples
    if length:
        made.metadata.annotations = json.loads(frame.payload[_AUDIO.size : end])
    return made


def _read_video(frame: Frame) -> RuntimeData:
    width, height, format, codec, number, keyframe = _VIDEO.unpack_from(frame.payload)
    known = VideoFormat(format) if format in VideoFormat._value2member_map_ else VideoFormat.RGB
    facts = VideoMetadata(width, height, known, 30.0, codec or None, number, bool(keyframe))
    return RuntimeData(DataType.VIDEO, frame.payload[_VIDEO.size :], metadata=facts)


def _read_tensor(frame: Frame) -> RuntimeData:
    payload = frame.payload
    dimensions = payload[0]
    shape = [_U32.unpack_from(payload, 1 + 4 * index)[0] for index in range(dimensions)]
    at = 1 + 4 * dimensions
    kind = TensorType(payload[at]) if payload[at] in TensorType._value2member_map_ else TensorType.F32
    (length,) = _U32.unpack_from(payload, at + 1)
    at += 5
    extras = json.loads(payload[at : at + length]) if length else None
    numbers = payload[at + length :]
    count, rest = divmod(len(numbers), _arrays.TENSOR_CODES[kind][1])
    if rest:
        raise FrameError(f'{len(numbers)} bytes are no whole numbers of a tensor')
    fits = bool(shape) and _arrays.count_of(shape) == count
    made = RuntimeData(DataType.TENSOR, None, metadata=TensorMetadata(shape if fits else [count], kind, extras))
    made._raw = numbers
    return made


def _read_numpy(frame: Frame) -> RuntimeData:
    payload = frame.payload
    (dimensions,) = _U16.unpack_from(payload)
    shape = [_U64.unpack_from(payload, 2 + 8 * index)[0] for index in range(dimensions)]
    at = 2 + 8 * dimensions
    at += 2 + 8 * _U16.unpack_from(payload, at)[0]
    (length,) = _U16.unpack_from(payload, at)
    dtype = payload[at + 2 : at + 2 + length].decode('ascii')
    flags, data = payload[at + 2 + length], payload[at + 3 + length :]
    if not flags & 1 and dimensions > 1:
        raise FrameError('Only arrays in C order can be read')
    from .wire import decode

    return decode({'type': 'numpy', 'data': data, 'shape': shape, 'dtype': dtype}, '')


def _read_control(frame: Frame) -> RuntimeData:
    message = json.loads(frame.payload)
    return RuntimeData(DataType.CONTROL_MESSAGE, message, frame.session, frame.timestamp_us / 1e6)


def _read_file(frame: Frame) -> RuntimeData:
    payload, at = frame.payload, 0
    texts: list[Optional[str]] = []
    numbers: list[Optional[int]] = []
    for index in range(4):
        if index == 3:
            numbers = [_U64.unpack_from(payload, at + 8 * place)[0] or None for place in range(3)]
            at += 24
        (length,) = _U16.unpack_from(payload, at)
        texts.append(payload[at + 2 : at + 2 + length].decode('utf-8', 'replace') or None)
        at += 2 + length
    values = dict(zip(FILE_FIELDS, (texts[0] or '', *texts[1:3], *numbers, texts[3])))
    return RuntimeData(DataType.FILE, values, frame.session)


def _read_image(frame: Frame) -> RuntimeData:
    (length,) = _U32.unpack_from(frame.payload)
    facts = json.loads(frame.payload[4 : 4 + length])
    metadata = ImageMetadata(facts['width'], facts['height'], facts['format'])
    return RuntimeData(DataType.IMAGE, frame.payload[4 + length :], metadata=metadata)


_READERS: dict[int, Callable[[Frame], RuntimeData]] = {
    1: _read_audio,
    2: _read_video,
    3: _read_text,
    4: _read_tensor,
    5: _read_control,
    6: _read_numpy,
    7: _read_file,
    9: lambda frame: RuntimeData.json(json.loads(frame.payload)),
    32: lambda frame: RuntimeData.binary(frame.payload),
    33: _read_image,
}
