"""Carries frames over two descriptors, for a runner that somebody started by hand: 3 in, 4 out, u32 length first.

Inputs are frames of `frames.py`; so are outputs, errors and the texts of the control channel (`READY`, `PROGRESS:…`).
Where the descriptors are not open the node becomes ready and waits for a signal.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import struct
import threading
import time
from typing import Any, Optional

from .coercion import frames_of
from .data import RuntimeData
from .frames import CONTROL_TEXT, ERROR, FrameError, decode_frame, encode_end, encode_frame, pack, unpack

INPUT, OUTPUT = 3, 4
_LENGTH = struct.Struct('<I')


def claim_descriptors() -> Optional[tuple[int, int]]:
    """Moves the two descriptors out of the way of files that are opened later; None when they are not ours."""
    try:
        kinds = [os.fstat(number).st_mode for number in (INPUT, OUTPUT)]
        if not all(stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) for mode in kinds):
            return None
        moved = os.dup(INPUT), os.dup(OUTPUT)
    except OSError:
        return None
    os.close(INPUT)
    os.close(OUTPUT)
    return moved


class PipeTransport:
    """Attach it as `node._transport` and `node._control_publisher`, then `start()` it on the loop."""

    def __init__(self, descriptors: Optional[tuple[int, int]], session: str, logger: Any) -> None:
        self._descriptors = descriptors
        self._session = session
        self._logger = logger
        self._lock = threading.Lock()
        self._inputs: Any = None

    def start(self) -> None:
        self._inputs = asyncio.Queue()
        if self._descriptors is not None:
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._read, args=(loop,), name='frames', daemon=True).start()

    async def receive(self) -> Optional[RuntimeData]:
        received: Optional[RuntimeData] = await self._inputs.get()
        return received

    async def send(self, data: Any, session: str) -> None:
        for frame in frames_of(data):
            await self._write_async(encode_frame(frame, session))

    async def send_end(self, session: str) -> None:
        await self._write_async(encode_end(session, _now_us()))

    def control(self, kind: str, fields: Any) -> None:
        text = kind if fields is None else f'{kind}:{json.dumps(fields)}'
        self._write(pack(CONTROL_TEXT, self._session, _now_us(), text.encode('utf-8')))

    def error(self, error: BaseException, phase: str, **facts: Any) -> None:
        import traceback

        lines = traceback.format_exception(type(error), error, error.__traceback__)
        told = {
            'type': type(error).__name__,
            'message': str(error),
            'phase': phase,
            'traceback': ''.join(lines),
            **facts,
        }
        self._write(pack(ERROR, self._session, _now_us(), json.dumps(told, default=str).encode('utf-8')))

    def stream_started(self, task: Any) -> None:
        """Streams end themselves, with an end frame of their own."""

    async def _write_async(self, frame: bytes) -> None:
        # A pipe that nobody empties must not stop the loop: barge-in is read there.
        await asyncio.get_running_loop().run_in_executor(None, self._write, frame)

    def _write(self, frame: bytes) -> None:
        if self._descriptors is None:
            return
        view = memoryview(_LENGTH.pack(len(frame)) + frame)
        with self._lock:
            try:
                while view:
                    view = view[os.write(self._descriptors[1], view) :]
            except OSError as error:
                self._logger.warning('The reader of this node has gone: %s', error)
                self._descriptors = None

    def _read(self, loop: Any) -> None:
        assert self._descriptors is not None
        source = os.fdopen(self._descriptors[0], 'rb')
        try:
            while True:
                head = source.read(4)
                if len(head) < 4:
                    break
                data = source.read(_LENGTH.unpack(head)[0])
                loop.call_soon_threadsafe(self._received, data)
        except (OSError, RuntimeError):
            # The loop is closed: there is nobody left to read for.
            return
        try:
            loop.call_soon_threadsafe(self._inputs.put_nowait, None)
        except RuntimeError:
            return

    def _received(self, data: bytes) -> None:
        try:
            frame = decode_frame(data)
            # A session that is not named is the last one (R77), which the node itself knows.
            frame.session_id = frame.session_id or unpack(data).session
        except FrameError as error:
            self._logger.error('An input cannot be read: %s', error)
            self.error(error, 'input')
            return
        self._inputs.put_nowait(frame)


def _now_us() -> int:
    return int(time.time() * 1_000_000)
