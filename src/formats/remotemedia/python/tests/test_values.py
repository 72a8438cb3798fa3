"""RuntimeData, the dicts of the wire, and what outputs are turned into (R63 to R67, 7.1, 7.5)."""

from __future__ import annotations

import array
import dataclasses
import math
import pickle
import unittest
from typing import Any

from support import HAS_NUMPY

# isort: split
from remotemedia.core.multiprocessing import RuntimeData, wire
from remotemedia.core.multiprocessing.coercion import frames_of, plain_json, plain_value
from remotemedia.core.multiprocessing.data import (
    AudioMetadata,
    ControlMessageMetadata,
    ControlMessageType,
    DataType,
    FileMetadata,
    TensorType,
    TextMetadata,
    audio_to_numpy,
    numpy_to_audio,
)


def floats(*values: float) -> bytes:
    return array.array('f', values).tobytes()


EVERY_KIND: list[dict[str, Any]] = [
    {'type': 'text', 'data': 'h\u00e9llo', 'channel': 'ui', 'language': 'fr', 'annotations': {'a': 1}},
    {'type': 'text', 'data': '\x00\x02uirest'},
    {'type': 'audio', 'samples': floats(0.5, -0.5), 'sample_rate': 16000, 'channels': 2, 'annotations': {'pts_us': 9}},
    {'type': 'json', 'value': [1, None, {'x': 'y'}], 'annotations': {'a': 1}},
    {'type': 'binary', 'data': b'\x00\xff'},
    {'type': 'tensor', 'data': floats(1, 2), 'shape': [1, 2], 'dtype': 'f32', 'extras': {'k': 1}},
    {'type': 'numpy', 'data': floats(1, 2), 'shape': [2, 1], 'dtype': '<f4'},
    {
        'type': 'video',
        'data': b'123456',
        'width': 2,
        'height': 1,
        'format': 'bgr',
        'fps': 25.0,
        'codec': 'h264',
        'frame_number': 3,
        'is_keyframe': True,
    },
    {'type': 'image', 'data': b'123', 'width': 1, 'height': 1, 'format': 'rgb'},
    {
        'type': 'file',
        'path': 'a.bin',
        'filename': 'A',
        'mime_type': 'm',
        'size': 1,
        'offset': 2,
        'length': 3,
        'stream_id': 's',
    },
    {'type': 'file', 'path': 'only'},
]


class Wire(unittest.TestCase):
    def test_encode_gives_back_what_decode_was_given_for_every_kind_R64_R66_R67(self) -> None:
        for value in EVERY_KIND:
            with self.subTest(type=value['type']):
                data = wire.decode(value, 's')
                self.assertEqual(data.session_id, 's')
                self.assertEqual(wire.encode(data), value)

    @unittest.skipUnless(HAS_NUMPY, 'needs numpy')
    def test_encode_gives_the_same_after_an_author_has_looked_at_the_payload(self) -> None:
        for value in EVERY_KIND:
            with self.subTest(type=value['type']):
                data = wire.decode(value, 's')
                self.assertIsNotNone(data.payload)
                self.assertEqual(wire.encode(data), value)

    def test_control_messages_are_read_in_both_notations(self) -> None:
        tagged = {'type': 'control', 'message_type': {'DeadlineWarning': {'deadline_us': 5}}, 'timestamp_ms': 7000}
        named = {
            'type': 'control',
            'message_type': 'DeadlineWarning',
            'fields': {'deadline_us': 5},
            'timestamp_ms': 7000,
        }
        for value in (tagged, named):
            data = wire.decode(value, 's')
            self.assertEqual((data.metadata.deadline_us, data.timestamp), (5, 7.0))
            self.assertEqual(wire.encode(data)['fields'], {'deadline_us': 5})

    def test_a_session_that_an_input_names_wins(self) -> None:
        self.assertEqual(wire.decode({'type': 'text', 'data': '', 'session': 'other'}, 's').session_id, 'other')


class Coercion(unittest.TestCase):
    def kinds(self, value: Any) -> list[str]:
        return [frame.data_type() for frame in frames_of(value)]

    def test_outputs_become_frames_by_their_type_R63(self) -> None:
        text = RuntimeData.text('x')
        for value, kinds in (
            (None, []),
            ('s', ['text']),
            (b'b', ['binary']),
            (bytearray(b'b'), ['binary']),
            (memoryview(b'b'), ['binary']),
            (True, ['json']),
            (7, ['json']),
            (1.5, ['json']),
            ({'a': 1}, ['json']),
            ([], ['json']),
            ([1, 2], ['json']),
            ([text, text], ['text', 'text']),
            ((text, RuntimeData.json(1)), ['text', 'json']),
            ([text, 1], ['json']),
        ):
            with self.subTest(value=value):
                self.assertEqual(self.kinds(value), kinds)

    def test_frames_inside_json_become_their_values_or_are_refused(self) -> None:
        value = {'t': RuntimeData.text('x'), 'j': [RuntimeData.json({'y': RuntimeData.text('z')})]}
        self.assertEqual(plain_json(value), {'t': 'x', 'j': [{'y': 'z'}]})
        with self.assertRaises(TypeError) as raised:
            plain_json({'b': RuntimeData.binary(b'')})
        self.assertEqual(getattr(raised.exception, 'path', None), '$.b')

    def test_numbers_that_json_lacks_survive(self) -> None:
        value = plain_json({'nan': math.nan, 'big': 2**70})
        self.assertTrue(math.isnan(value['nan']))
        self.assertEqual(value['big'], 2**70)

    def test_a_circle_is_refused_with_its_path(self) -> None:
        circle: list[Any] = []
        circle.append(circle)
        with self.assertRaisesRegex(ValueError, 'Circular reference detected at'):
            plain_json(circle)

    def test_any_other_object_is_refused_by_its_type(self) -> None:
        with self.assertRaisesRegex(TypeError, 'set'):
            frames_of({1})
        with self.assertRaisesRegex(TypeError, 'fractions.Fraction'):
            from fractions import Fraction

            frames_of(Fraction(1, 2))

    @unittest.skipUnless(HAS_NUMPY, 'needs numpy')
    def test_arrays_are_numpy_frames_and_scalars_are_numbers(self) -> None:
        import numpy

        self.assertEqual(self.kinds(numpy.zeros(3)), ['numpy'])
        self.assertEqual(frames_of(numpy.float32(0.5))[0].payload, 0.5)
        self.assertEqual(plain_json({'n': numpy.int64(3)}), {'n': 3})
        backwards = numpy.arange(6, dtype='>i4').reshape(2, 3).T
        value = wire.encode(RuntimeData.numpy(backwards))
        self.assertEqual((value['dtype'], value['shape']), ('<i4', [3, 2]))
        self.assertEqual(array.array('i', value['data']).tolist(), [0, 3, 1, 4, 2, 5])
        with self.assertRaisesRegex(TypeError, 'object'):
            wire.encode(RuntimeData.numpy(numpy.array([object()])))

    def test_plain_classes_get_plain_values_R60(self) -> None:
        self.assertEqual(plain_value(RuntimeData.text('x')), 'x')
        self.assertEqual(plain_value(RuntimeData.json([1])), [1])
        self.assertEqual(plain_value(RuntimeData.binary(b'x')), b'x')
        audio = RuntimeData.audio([0.0], 8000)
        self.assertIs(plain_value(audio), audio)


class Author(unittest.TestCase):
    def test_as_audio_is_the_tuple_that_real_plugins_take_apart_R65(self) -> None:
        data = wire.decode({'type': 'audio', 'samples': floats(0.5, 0.25), 'sample_rate': 8000, 'channels': 2}, '')
        self.assertEqual(data.as_audio(), (floats(0.5, 0.25), 8000, 2, 'f32', 2))

    def test_audio_takes_the_native_flavour_too(self) -> None:
        native: Any = RuntimeData.audio
        self.assertEqual(native(floats(0.5), 8000, 1, 'f32', 1).as_audio()[0], floats(0.5))
        self.assertEqual(native(array.array('h', [16384]).tobytes(), 8000, 1, 'i16', 1).as_audio()[0], floats(0.5))

    def test_text_and_audio_are_readable_on_frames_of_their_kind_only(self) -> None:
        data: Any = RuntimeData.text('x')
        self.assertEqual(data.text, 'x')
        self.assertTrue(callable(data.audio))
        with self.assertRaises(AttributeError):
            data.text = 'y'
        other: Any = RuntimeData.json(1)
        self.assertEqual(other.text('made').as_text(), 'made')

    def test_the_payload_of_a_text_is_bytes_and_can_be_set(self) -> None:
        data = RuntimeData.text('\u00e9')
        self.assertEqual((data.payload, data.size, data.as_text()), (b'\xc3\xa9', 2, '\u00e9'))
        data.payload = b'new'
        self.assertEqual(wire.encode(data)['data'], 'new')

    def test_metadata_is_asked_for_as_the_original_does(self) -> None:
        for kind in (DataType.AUDIO, DataType.VIDEO, DataType.TENSOR, DataType.FILE, DataType.CONTROL_MESSAGE):
            with self.subTest(kind=kind), self.assertRaises(ValueError):
                RuntimeData(kind, 5, '', None)
        self.assertIsInstance(RuntimeData(DataType.TEXT, 'x', '', None).metadata, TextMetadata)
        data = RuntimeData(DataType.CONTROL_MESSAGE, b'{"message_type": {"BatchHint": {"suggested_batch_size": 4}}}')
        self.assertEqual(data.metadata.suggested_batch_size, 4)
        with self.assertRaises(ValueError):
            RuntimeData.video('no picture', 1, 1)

    def test_accessors_refuse_other_kinds(self) -> None:
        data = RuntimeData.json({'a': 1})
        for read in (data.as_text, data.as_audio, data.as_numpy, data.as_binary, data.get_file_path):
            with self.subTest(read=read), self.assertRaises(ValueError):
                read()
        self.assertEqual((data.as_json(), data.size, RuntimeData.text('[1]').as_json()), ({'a': 1}, 8, [1]))

    def test_records_are_dataclasses_to_whoever_asks(self) -> None:
        facts = AudioMetadata(8000, 1)
        self.assertTrue(dataclasses.is_dataclass(facts))
        self.assertEqual(
            [field.name for field in dataclasses.fields(TextMetadata)], ['encoding', 'language', 'channel']
        )
        self.assertEqual(dataclasses.replace(facts, channels=2), AudioMetadata(8000, 2))
        self.assertEqual(dataclasses.asdict(FileMetadata('p'))['path'], 'p')
        self.assertEqual(repr(TextMetadata()), "TextMetadata(encoding='utf-8', language=None, channel='tts')")

    def test_frames_survive_pickling_and_their_own_bytes(self) -> None:
        for data in (RuntimeData.text('x', channel='ui'), RuntimeData.json([1])):
            self.assertEqual(pickle.loads(pickle.dumps(data)), data)
            self.assertEqual(RuntimeData.from_bytes(data.to_bytes()), data)
        with self.assertRaises(ValueError):
            RuntimeData.from_bytes(pickle.dumps(5))

    def test_control_messages_fill_the_segment_of_cancellations_only(self) -> None:
        self.assertTrue(RuntimeData.control_message(ControlMessageType.CANCEL_SPECULATION, 's').is_cancellation())
        read = ControlMessageMetadata.from_json({'message_type': {'BatchHint': {}}, 'segment_id': 's'})
        self.assertIsNone(read.segment_id)

    def test_without_numpy_lists_are_enough(self) -> None:
        value = wire.encode(RuntimeData.tensor([[1, 2], [3, 4]], dtype=TensorType.I32))
        self.assertEqual((value['shape'], value['dtype'], len(value['data'])), ([2, 2], 'i32', 16))
        with self.assertRaises(ValueError):
            RuntimeData.tensor([[1], [2, 3]])
        self.assertEqual(wire.encode(RuntimeData.audio([0.5], 8000))['samples'], floats(0.5))

    @unittest.skipUnless(HAS_NUMPY, 'needs numpy')
    def test_numpy_helpers_make_float32_and_payloads_can_be_changed_in_place(self) -> None:
        import numpy

        made = numpy_to_audio(numpy.array([0.5, -0.5]), 8000)
        self.assertEqual(made.payload.dtype, numpy.float32)
        received = wire.decode({'type': 'audio', 'samples': floats(1, 2), 'sample_rate': 8000, 'channels': 1}, '')
        received.payload[:] *= 2
        self.assertEqual(audio_to_numpy(received).tolist(), [2.0, 4.0])
        self.assertEqual(wire.encode(received)['samples'], floats(2, 4))


if __name__ == '__main__':
    unittest.main()
