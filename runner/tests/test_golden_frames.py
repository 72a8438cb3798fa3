"""The frames that both languages read and write."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import unittest
from pathlib import Path
from typing import Any

from _charmer import messages as m
from _charmer.dialect import Failure
from _charmer.frames import FrameReader, FrameWriter
from _charmer.tagged_values import StreamPlace
from _charmer.values import Data, decode, encode

_FILE = Path(__file__).parents[2] / 'fixtures' / 'wire' / 'frames.json'
GOLDEN: dict[str, Any] = json.loads(_FILE.read_text(encoding='utf-8'))


def meaning(value: Any) -> Any:
    """What a value of the fixture stands for."""
    if isinstance(value, list):
        return [meaning(item) for item in value]
    if not isinstance(value, dict):
        return value
    if '@bytes' in value:
        return bytes.fromhex(value['@bytes'])
    if '@int' in value:
        return int(value['@int'])
    if '@float' in value:
        return float(value['@float'])
    if '@surrogate' in value:
        return chr(int(value['@surrogate'], 16))
    if '@data' in value:
        return Data(meaning(value['@data']))
    return {key: meaning(member) for key, member in value.items()}


def read_all(data: bytes, chunk: int) -> list[tuple[int, int, int, int, bytes]]:
    """Frames of data that arrives in chunks of a size."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        reader = FrameReader(file.fileno())
        read_whole: Any = reader._read_into
        reader._read_into = lambda view: read_whole(view[:chunk])  # type: ignore[index]
        frames = []
        while reader.fill():
            frame = reader.next()
            while frame is not None:
                frames.append((*frame[:4], bytes(frame[4])))
                frame = reader.next()
        return frames


class GoldenFrames(unittest.TestCase):
    def test_read_frames_mean_what_they_say(self) -> None:
        for golden in GOLDEN['frames']:
            with self.subTest(golden['name']):
                ((kind, flags, slot, identity, payload),) = read_all(bytes.fromhex(golden['hex']), 1 << 20)
                self.assertEqual(
                    (kind, flags, slot, identity),
                    (getattr(m, golden['kind'].upper()), golden['flags'], golden['slot'], golden['id']),
                )
                if 'credit' in golden:
                    self.assertEqual(list(struct.unpack('<II', payload)), golden['credit'])
                elif 'value' not in golden:
                    self.assertEqual(payload, b'')
                elif flags & m.RAW:
                    self.assertEqual(payload, meaning(golden['value']))
                elif golden['name'] == 'call with a client stream':
                    value = decode(memoryview(payload), flags)
                    self.assertEqual(value[0], 'a')
                    self.assertIsInstance(value[1], StreamPlace)
                else:
                    # Through repr: nan is not equal to itself, and -0.0 is equal to 0.0.
                    self.assertEqual(repr(decode(memoryview(payload), flags)), repr(meaning(golden['value'])))

    def test_written_frames_are_byte_for_byte_the_same(self) -> None:
        for golden in GOLDEN['frames']:
            if 'runner' not in golden['writtenBy']:
                continue
            with self.subTest(golden['name']), tempfile.TemporaryFile() as file:
                writer = FrameWriter(file.fileno())
                kind = getattr(m, golden['kind'].upper())
                flags, parts = golden['flags'], []
                if 'credit' in golden:
                    parts = [struct.pack('<II', *golden['credit'])]
                elif 'value' in golden:
                    value = meaning(golden['value'])
                    if flags & m.RAW:
                        parts = [value]
                    else:
                        tags, parts = encode(value, 'value')
                        self.assertEqual(tags, flags & (m.TAGGED | m.ATTACHED))
                writer.put(kind, flags, golden['slot'], golden['id'], *parts)
                writer.flush()
                file.seek(0)
                self.assertEqual(file.read().hex(), golden['hex'])

    def test_refused_frames_have_the_same_codes(self) -> None:
        for golden in GOLDEN['refused']:
            with self.subTest(golden['name']), self.assertRaises(Failure) as caught:
                read_all(bytes.fromhex(golden['hex']), 1 << 20)
            self.assertEqual(caught.exception.code, golden['code'])

    def test_frames_are_read_wherever_they_are_cut(self) -> None:
        data = bytes.fromhex(''.join(golden['hex'] for golden in GOLDEN['frames']))
        whole = read_all(data, 1 << 20)
        self.assertEqual(len(whole), len(GOLDEN['frames']))
        for size in (1, 2, 3, 5, 7, 11, 12, 13, 64):
            self.assertEqual(read_all(data, size), whole)

    def test_the_limit_is_the_same(self) -> None:
        self.assertEqual(GOLDEN['maxFrameBytes'], m.MAX_FRAME_BYTES)


class Writer(unittest.TestCase):
    def test_items_of_one_stream_become_one_frame_and_others_keep_their_place(self) -> None:
        with tempfile.TemporaryFile() as file:
            writer = FrameWriter(file.fileno())
            for text in ('1', '"x"'):
                writer.item(5, text)
            writer.item(7, '2')
            writer.put(m.END, 0, 0, 5)
            writer.item(7, '3')
            writer.add(m.RESULT, 9, b'4')
            writer.flush()
            file.seek(0)
            frames = read_all(file.read(), 1 << 20)
        self.assertEqual(
            [(kind, flags, identity, payload) for kind, flags, _, identity, payload in frames],
            [
                (m.ITEM, m.BATCH, 5, b'[1,"x"]'),
                (m.ITEM, 0, 7, b'2'),
                (m.END, 0, 5, b''),
                (m.ITEM, 0, 7, b'3'),
                (m.RESULT, 0, 9, b'4'),
            ],
        )

    def test_a_batch_does_not_grow_past_its_limit(self) -> None:
        with tempfile.TemporaryFile() as file:
            writer = FrameWriter(file.fileno())
            writer.limit_frames(80)
            for _ in range(10):
                writer.item(1, '12345')
            writer.flush()
            file.seek(0)
            sizes = [len(payload) for *_, payload in read_all(file.read(), 1 << 20)]
        self.assertLessEqual(max(sizes), 22)

    def test_large_frames_go_through_a_pipe_that_takes_little_at_a_time(self) -> None:
        payload = os.urandom(3 << 20)
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        child = os.fork()
        if child == 0:
            os.close(read_end)
            writer = FrameWriter(write_end)
            writer.put(m.RESULT, m.RAW, 0, 1, payload)
            writer.put(m.END, 0, 0, 3)
            writer.flush()
            os._exit(0)
        os.close(write_end)
        reader = FrameReader(read_end)
        frames = []
        while reader.fill():
            frame = reader.next()
            while frame is not None:
                frames.append((frame[0], bytes(frame[4])))
                frame = reader.next()
        os.close(read_end)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(frames, [(m.RESULT, payload), (m.END, b'')])


if __name__ == '__main__':
    unittest.main()
