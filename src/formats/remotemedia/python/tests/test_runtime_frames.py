"""Frames of the runtime module: the layout that the host reads, and values there and back."""

from __future__ import annotations

import io
import struct
import unittest
from typing import Any

import support  # noqa: F401  (puts the package on the import path)

# isort: split
from remotemedia.runtime.frames import encode_frame, read_frame


def back(message: dict[str, Any]) -> dict[str, Any]:
    read = read_frame(io.BytesIO(b''.join(encode_frame(message))))
    assert read is not None
    del read['frame_bytes']
    return read


class FramesTest(unittest.TestCase):
    def test_encode_frame_writes_the_layout_that_its_partner_in_typescript_reads(self) -> None:
        text = b'{"kind":"send","data":{"$bytes":[0,2]}}'
        expected = struct.pack('<II', 4 + len(text) + 2, len(text)) + text + b'\x01\x02'
        self.assertEqual(b''.join(encode_frame({'kind': 'send', 'data': b'\x01\x02'})), expected)

    def test_encode_frame_keeps_what_json_loses(self) -> None:
        values = [2**53 + 1, -(2**70), float('inf'), float('-inf'), [{'$int': 'mine'}, {'$$': b''}], 10**15, '1' * 20]
        for value in values:
            with self.subTest(value=value):
                self.assertEqual(back({'kind': 'x', 'v': value}), {'kind': 'x', 'v': value})
        self.assertEqual(repr(back({'kind': 'x', 'v': [-0.0, float('nan')]})['v']), '[-0.0, nan]')

    def test_encode_frame_tags_bytes_beside_everything_else(self) -> None:
        message = {'kind': 'x', 'a': b'one', 'b': [bytearray(b'two'), memoryview(b'3')], 'c': {'$k': 2**60}}
        self.assertEqual(back(message), {'kind': 'x', 'a': b'one', 'b': [b'two', b'3'], 'c': {'$k': 2**60}})

    def test_encode_frame_writes_lone_surrogates_as_escapes(self) -> None:
        self.assertEqual(back({'kind': 'x', 'v': 'a\ud800'}), {'kind': 'x', 'v': 'a\ud800'})

    def test_encode_frame_names_the_type_of_what_cannot_travel(self) -> None:
        with self.assertRaisesRegex(TypeError, "'object' cannot travel"):
            encode_frame({'kind': 'x', 'v': [object()]})

    def test_read_frame_ends_quietly_wherever_the_stream_is_cut(self) -> None:
        frame = b''.join(encode_frame({'kind': 'x', 'v': b'123'}))
        for cut in range(len(frame)):
            self.assertIsNone(read_frame(io.BytesIO(frame[:cut])))

    def test_read_frame_refuses_tags_that_there_are_not(self) -> None:
        text = b'{"kind":"x","v":{"$what":1}}'
        with self.assertRaises(ValueError):
            read_frame(io.BytesIO(struct.pack('<II', 4 + len(text), len(text)) + text))


if __name__ == '__main__':
    unittest.main()
