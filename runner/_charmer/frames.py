"""Bytes and frames: one reused buffer for reading, one list of finished frames for writing. Knows no message."""

from __future__ import annotations

from _io import FileIO
from _struct import Struct
from _thread import allocate_lock
from posix import write as os_write

from .dialect import Failure
from .messages import BATCH, DUMP, HEADER, HEADER_BYTES, ITEM, MAX_FRAME_BYTES

_header = Struct(HEADER)
pack = _header.pack
unpack = _header.unpack_from
_LAST_KIND = DUMP

# Reading 256 KiB at once into the same memory: a fresh buffer of this size per read costs a factor of two.
_BUFFER_BYTES = 256 << 10
# Larger parts are written as they are: joining them costs more than another write.
_JOINED_BYTES = 64 << 10


class FrameReader:
    """Cuts what arrives into frames. The payload of a frame is valid until more is read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.max_frame_bytes = MAX_FRAME_BYTES
        self._start = self._end = 0
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._read_into = FileIO(descriptor, 'rb', closefd=False).readinto

    def next(self) -> tuple[int, int, int, int, memoryview] | None:
        """The next whole frame as kind, flags, slot, id and payload; None: more must be read first."""
        start = self._start + HEADER_BYTES
        end = self._end
        if start > end:
            return None
        length, kind, flags, slot, identity = unpack(self._buffer, self._start)
        if not 0 < kind <= _LAST_KIND:
            raise Failure('MESSAGE_UNEXPECTED', f'Frame has kind {kind}, expected 1 to {_LAST_KIND}')
        stop = start + length
        if stop > end:
            if length > self.max_frame_bytes:
                limit = self.max_frame_bytes
                raise Failure('FRAME_TOO_LARGE', f'Frame of {length} bytes is larger than the limit of {limit}')
            return None
        self._start = stop
        return kind, flags, slot, identity, self._view[start:stop]

    def fill(self) -> bool:
        """Reads once, waiting if nothing is there. False: the other side has closed."""
        have = self._end - self._start
        needed = HEADER_BYTES
        if have >= HEADER_BYTES:
            needed += unpack(self._buffer, self._start)[0]
        if not have or self._start + needed > len(self._buffer):
            self._make_room(needed)
        count = self._read_into(self._view[self._end :])
        if count:
            self._end += count
        # None: somebody made the descriptor non-blocking and nothing is there.
        return count != 0

    def _make_room(self, needed: int) -> None:
        rest = self._view[self._start : self._end]
        size = len(self._buffer)
        if needed > size or (size > _BUFFER_BYTES << 6 and not rest):
            # A new object, not a longer one: payloads that were handed out keep the old buffer alive.
            self._buffer = bytearray(max(needed, _BUFFER_BYTES))
            self._view = memoryview(self._buffer)
        self._view[: len(rest)] = rest
        self._start, self._end = 0, len(rest)


class FrameWriter:
    """Collects finished frames and writes them whole, in one go. Any thread may use it.

    Items of one stream that follow each other become one frame: `item` adds to the batch that is open behind the list.
    """

    def __init__(self, descriptor: int) -> None:
        self.max_frame_bytes = MAX_FRAME_BYTES
        # Characters of a value that need no look at the limit of frames, and of items that become one frame.
        self.small = _JOINED_BYTES
        # Bytes of small frames that wait.
        self.size = 0
        self._descriptor = descriptor
        # Held while frames leave the list. Adding one needs no lock: lists change in one step.
        self._lock = allocate_lock()
        self._frames: list[bytes] = []
        self._batch: list[str] = []
        self._batch_id = self._batch_size = 0

    def limit_frames(self, max_frame_bytes: int) -> None:
        """Sets the size of the largest payload. A character is four bytes at most; a batch grows by one small value."""
        self.max_frame_bytes = max_frame_bytes
        self.small = min(_JOINED_BYTES, max_frame_bytes // 8)

    def add(self, kind: int, identity: int, payload: bytes) -> None:
        """Adds a small frame without flags."""
        if self._batch:
            with self._lock:
                self._close_batch()
        self.later(kind, identity, payload)

    def later(self, kind: int, identity: int, payload: bytes = b'') -> None:
        """Adds a small frame before the items that wait, without the lock: for finalizers, which may run anywhere."""
        self._frames.append(pack(len(payload), kind, 0, 0, identity) + payload)
        self.size += len(payload)

    def put(self, kind: int, flags: int, slot: int, identity: int, *parts: bytes) -> int:
        """Adds a frame whose payload is the parts one after the other. A large one is written at once.

        Returns the size of the payload. Raises Failure OUTPUT_TOO_LARGE.
        """
        size = sum(map(len, parts))
        if size > self.max_frame_bytes:
            limit = self.max_frame_bytes
            raise Failure('OUTPUT_TOO_LARGE', f'Output of {size} bytes is larger than the limit of {limit}')
        frame = [pack(size, kind, flags, slot, identity)]
        with self._lock:
            self._close_batch()
            if size < _JOINED_BYTES:
                self._frames.append(b''.join((*frame, *parts)))
                self.size += size
                return size
            self._write()
            for part in parts:
                frame.append(part)
                if len(part) >= _JOINED_BYTES:
                    write_whole(self._descriptor, b''.join(frame[:-1]))
                    write_whole(self._descriptor, part)
                    frame.clear()
            write_whole(self._descriptor, b''.join(frame))
        return size

    def item(self, identity: int, text: str) -> None:
        """Adds a stream item given as JSON text."""
        with self._lock:
            if self._batch_id != identity or self._batch_size > self.small:
                self._close_batch()
                self._batch_id = identity
            self._batch.append(text)
            self._batch_size += len(text)

    def flush(self, wait: bool = True) -> None:
        """Writes everything that was added, waiting until the other side has taken it.

        Without `wait` nothing is done while others write: for signal handlers, which may have interrupted them.
        """
        if (self._frames or self._batch) and self._lock.acquire(wait):
            try:
                self._close_batch()
                self._write()
            finally:
                self._lock.release()

    def _write(self) -> None:
        frames = self._frames
        count = len(frames)
        data = b''.join(frames[:count])
        del frames[:count]
        self.size = 0
        write_whole(self._descriptor, data)

    def _close_batch(self) -> None:
        texts = self._batch
        if texts:
            flags, text = (BATCH, f'[{",".join(texts)}]') if len(texts) > 1 else (0, texts[0])
            payload = to_bytes(text)
            self._frames.append(pack(len(payload), ITEM, flags, 0, self._batch_id) + payload)
            self.size += len(payload)
            self._batch = []
            self._batch_id = self._batch_size = 0


def to_bytes(text: str) -> bytes:
    """UTF-8 of a JSON text. Lone surrogates, which UTF-8 cannot hold, become JSON escapes."""
    return text.encode('utf-8', 'backslashreplace')


def write_whole(descriptor: int, data: bytes) -> None:
    """Writes all of data, waiting for whoever reads it. Silent when nobody reads."""
    rest: bytes | memoryview = data
    while rest:
        try:
            written = os_write(descriptor, rest)
        except BlockingIOError:
            # Somebody made the descriptor non-blocking.
            from select import POLLOUT, poll

            poller = poll()
            poller.register(descriptor, POLLOUT)
            poller.poll()
        except (BrokenPipeError, ConnectionResetError):
            # The host is gone; the end of descriptor 3 says so as well, and that is where the runner ends.
            return
        else:
            if written == len(rest):
                return
            rest = memoryview(rest)[written:]
