"""The frame layout of the original against its recorded bytes (R63, R64, RW18)."""

from __future__ import annotations

import json
import re
import unittest
from typing import Any, Optional

from support import HAS_NUMPY, PLUGINS, SESSION, load

# isort: split
from remotemedia.core.multiprocessing import RuntimeData, frames
from remotemedia.core.multiprocessing.data import ControlMessageType, DataType, TensorType, TextMetadata, VideoFormat

VECTORS = load('frames.json')
MICROSECONDS = VECTORS['timestamp_us']
# JSON that is no dict: the original writes Python's text of it, ours writes JSON (RW18).
NOT_JSON_THERE = {'json-list': '[1, 2, {"x": null}]', 'json-string': '"text"', 'json-none': 'null'}
OTHER = {'end-of-input default': 'default_n', 'end-of-input session': 'sess1', 'end-of-input unicode session': 'sé'}
REPLIES: dict[str, tuple[Any, ...]] = {
    'rpc value': ('a:1', 'value', {'é': 1}),
    'rpc null value': ('a:2', 'value', None),
    'rpc error': ('a:3', 'error', 'ValueError: bad'),
    'rpc end': ('a:4', 'end'),
}
# What can be made without NumPy, where the recorded plugin uses it.
WITHOUT_NUMPY = {
    'text': lambda: RuntimeData.text('plain'),
    'text-empty': lambda: RuntimeData.text(''),
    'text-unicode': lambda: RuntimeData.text('h\u00e9llo \u4e16\u754c \U0001f600'),
    'text-language': lambda: RuntimeData.text('bonjour', language='fr'),
    'text-channel-ui': lambda: RuntimeData.text('shown', channel='ui'),
    'text-channel-tts': lambda: RuntimeData.text('spoken', channel='tts'),
    'text-channel-empty': lambda: RuntimeData.text('none', channel=''),
    'text-channel-long': lambda: RuntimeData.text('long', channel='c' * 300),
    'text-leading-nul': lambda: RuntimeData.text('\x00\x02uirest'),
    'text-session': lambda: RuntimeData.text('mine', session_id='other'),
    'text-json': lambda: RuntimeData.text('{"a": 1}', channel='json'),
    'audio-list': lambda: RuntimeData.audio([0.0, 0.25], 8000),
    'audio-stereo': lambda: RuntimeData.audio([0.1, 0.2, 0.3, 0.4], 48000, channels=2),
    'audio-2d': lambda: RuntimeData.audio([[0.1, 0.2], [0.3, 0.4]], 16000, channels=2),
    'audio-empty': lambda: RuntimeData.audio([], 16000),
    'tensor-list': lambda: RuntimeData.tensor([1, 2, 3]),
    'tensor-i32': lambda: RuntimeData.tensor([[0, 1, 2], [3, 4, 5]], dtype=TensorType.I32),
    'tensor-scalar': lambda: RuntimeData.tensor(7),
    'tensor-extras': lambda: RuntimeData.tensor([0.5], extras={'kind': 'tap', 'layer': 3}),
    'video-bytes': lambda: RuntimeData.video(bytes(range(12)), 2, 2),
    'video-array': lambda: RuntimeData.video(bytes(range(16)), 2, 2, VideoFormat.RGBA, 25.0),
    'video-encoded': lambda: RuntimeData.video(b'\0\1\2', 640, 480, codec=2, frame_number=9, is_keyframe=True),
    'file': lambda: RuntimeData.file('data/a.bin'),
    'json': lambda: RuntimeData.json({'a': 1, 'b': [True, None], 'c': '\u00e9'}),
    'json-list': lambda: RuntimeData.json([1, 2, {'x': None}]),
    'json-string': lambda: RuntimeData.json('text'),
    'json-number': lambda: RuntimeData.json(1.5),
    'json-none': lambda: RuntimeData.json(None),
    'control-batch': lambda: RuntimeData.control_message(ControlMessageType.BATCH_HINT, suggested_batch_size=4),
    'same-text-object': lambda: RuntimeData(DataType.TEXT, 'direct', '', 0.0, TextMetadata(channel='ui')),
}


class Out(unittest.TestCase):
    """`encode_frame()` writes the bytes of the original's encoder."""


class In(unittest.TestCase):
    """`decode_frame()` hands out what the original's decoder does, and reads json and arrays as well (R64)."""


class Control(unittest.TestCase):
    def test_control_messages_of_the_transport_are_the_recorded_texts(self) -> None:
        import os

        from remotemedia.core.multiprocessing.pipe_transport import PipeTransport

        ahead, behind = os.pipe(), os.pipe()
        self.addCleanup(lambda: [os.close(number) for number in (*ahead, *behind)])
        transport = PipeTransport((ahead[0], behind[1]), 's', None)
        transport.control('PROGRESS', {'status': 'loading', 'message': '50 %'})
        transport.control('PUBLISH', {'target': 'sink', 'port': 'context', 'payload': {'text': 'x', 'n': None}})
        transport.control('READY', None)
        sent = os.read(behind[0], 65536)
        texts = []
        while sent:
            size = int.from_bytes(sent[:4], 'little')
            frame = frames.unpack(sent[4 : 4 + size])
            self.assertEqual((frame.type, frame.session), (frames.CONTROL_TEXT, 's'))
            texts.append(frame.payload.decode('utf-8'))
            sent = sent[4 + size :]
        self.assertEqual(texts, VECTORS['control_messages'])


class Broken(unittest.TestCase):
    def test_decode_frame_refuses_a_frame_cut_at_any_byte(self) -> None:
        whole = bytes.fromhex(next(entry['hex'] for entry in VECTORS['out'] if entry['name'] == 'text-unicode'))
        for size in range(len(whole)):
            with self.assertRaises(frames.FrameError):
                frames.decode_frame(whole[:size])

    def test_decode_frame_reads_binary_and_image_frames_of_encode_frame(self) -> None:
        image = RuntimeData.image(b'\1\2\3', 1, 1, 'rgb')
        again = frames.decode_frame(frames.encode_frame(image))
        self.assertEqual((again.payload, again.metadata), (b'\1\2\3', image.metadata))
        self.assertEqual(frames.decode_frame(frames.encode_frame(RuntimeData.binary(b'\0\xff'))).payload, b'\0\xff')


def made_for(name: str) -> Optional[Any]:
    if HAS_NUMPY:
        import sys

        sys.path.insert(0, str(PLUGINS / 'outputs'))
        try:
            import output_nodes
        finally:
            sys.path.remove(str(PLUGINS / 'outputs'))
        return output_nodes.MAKE[name]()
    make = WITHOUT_NUMPY.get(name)
    return make() if make is not None else None


def add_out(entry: dict[str, Any]) -> None:
    name, expected = entry['name'], entry['hex']

    def test(self: Out) -> None:
        if name in OTHER:
            self.assertEqual(frames.encode_end(OTHER[name], MICROSECONDS).hex(), expected)
            return
        if name in REPLIES:
            from remotemedia.core.multiprocessing.rpc_dispatch import RpcDispatch

            data = RpcDispatch()._make_reply_frame(*REPLIES[name])
        else:
            data = made_for(name)
        if data is None:
            self.skipTest('needs numpy, which is not installed here')
        data.timestamp = MICROSECONDS / 1e6
        self.assertEqual(frames.encode_frame(data, literal=True).hex(), expected)
        if name in NOT_JSON_THERE:
            self.assertEqual(frames.unpack(frames.encode_frame(data)).payload.decode('utf-8'), NOT_JSON_THERE[name])

    setattr(Out, f'test_encode_frame_writes_{_identifier(name)}', test)


def add_in(index: int, entry: dict[str, Any]) -> None:
    def test(self: In) -> None:
        data, expected = bytes.fromhex(entry['hex']), entry['decoded']
        kind = entry['in'].get('type') or entry['in']['kind']
        if expected is None and kind in ('json', 6):
            decoded = frames.decode_frame(data)
            if kind == 'json':
                self.assertEqual((decoded.data_type(), decoded.payload), ('json', entry['in']['json']))
            elif HAS_NUMPY:
                self.assertEqual((decoded.payload.tolist(), decoded.payload.dtype.str), ([1.0, 2.0], '<f4'))
            return
        if expected is None:
            with self.assertRaises(frames.FrameError):
                frames.decode_frame(data)
            return
        if not HAS_NUMPY and 'ndarray' in json.dumps(expected):
            self.skipTest('needs numpy, which is not installed here')
        import sys

        sys.path.insert(0, str(PLUGINS / 'inputs'))
        try:
            from input_nodes import describe
        finally:
            sys.path.remove(str(PLUGINS / 'inputs'))
        self.assertEqual(describe(frames.decode_frame(data)), expected)
        self.assertIn(frames.unpack(data).session, (SESSION, entry['in'].get('session')))

    setattr(In, f'test_decode_frame_reads_{index}_{_identifier(str(entry["in"]["kind"]))}', test)


def _identifier(text: str) -> str:
    return re.sub('[^a-z0-9]+', '_', text)


for _entry in VECTORS['out']:
    add_out(_entry)
for _index, _entry in enumerate(VECTORS['in']):
    add_in(_index, _entry)

if __name__ == '__main__':
    unittest.main()
