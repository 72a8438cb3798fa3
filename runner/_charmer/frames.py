"""Bytes and frames: one reused buffer for reading, one list of finished frames for writing. Knows no message."""

from __future__ import annotations

from _io import FileIO
from _struct import Struct
from _thread import allocate_lock
from posix import getpid
from posix import write as os_write

from .messages import BATCH, HEADER, HEADER_BYTES, ITEM, KINDS, MAX_FRAME_BYTES

_header = Struct(HEADER)
pack = _header.pack
unpack = _header.unpack_from
_LAST_KIND = len(KINDS)

# Reading 256 KiB at once into the same memory: a fresh buffer of this size per read costs a factor of two.
_BUFFER_BYTES = 256 << 10
# Larger parts are written as they are: joining them costs more than another write.
_JOINED_BYTES = 64 << 10


class FrameError(Exception):
    """The bytes that came are no frames."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class FrameReader:
    """Cuts what arrives into frames. The payload of a frame is valid until the next one is asked for."""

    def __init__(self, descriptor: int, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self.descriptor = descriptor
        self.max_frame_bytes = max_frame_bytes
        self.is_at_end = False
        self.start = 0
        self.end = 0
        self.buffer = bytearray(_BUFFER_BYTES)
        self.view = memoryview(self.buffer)
        self._read_into = FileIO(descriptor, 'rb', closefd=False).readinto

    def next(self) -> tuple[int, int, int, int, memoryview] | None:
        """The next whole frame as kind, flags, slot, id and payload; None: more must be read first."""
        start = self.start
        have = self.end - start
        if have < HEADER_BYTES:
            return None
        length, kind, flags, slot, identity = unpack(self.buffer, start)
        if not 0 < kind <= _LAST_KIND:
            raise FrameError('MESSAGE_UNEXPECTED', f'Frame has kind {kind}, expected 1 to {_LAST_KIND}')
        if length > have - HEADER_BYTES:
            if length > self.max_frame_bytes:
                limit = self.max_frame_bytes
                raise FrameError('FRAME_TOO_LARGE', f'Frame of {length} bytes is larger than the limit of {limit}')
            return None
        start += HEADER_BYTES
        self.start = start + length
        return kind, flags, slot, identity, self.view[start : start + length]

    def fill(self) -> bool:
        """Reads once, waiting if nothing is there. False: the other side has closed."""
        start = self.start
        have = self.end - start
        size = len(self.buffer)
        if not have:
            self.start = self.end = 0
            if size > _BUFFER_BYTES << 6:
                self._replace(_BUFFER_BYTES)
        elif have >= HEADER_BYTES:
            needed = HEADER_BYTES + int(unpack(self.buffer, start)[0])
            if needed > size:
                self._replace(needed)
            elif start + needed > size:
                self._compact()
        elif size - self.end < HEADER_BYTES:
            self._compact()
        count = self._read_into(self.view[self.end :])
        if not count:
            # None: somebody made the descriptor non-blocking and nothing is there.
            self.is_at_end = count is not None
            return count is None
        self.end += count
        return True

    def _compact(self) -> None:
        have = self.end - self.start
        self.buffer[:have] = self.buffer[self.start : self.end]
        self.start, self.end = 0, have

    def _replace(self, size: int) -> None:
        # A new object, not a longer one: payloads that were handed out keep the old buffer alive.
        rest = self.view[self.start : self.end]
        self.buffer = bytearray(size)
        self.buffer[: len(rest)] = rest
        self.view = memoryview(self.buffer)
        self.start, self.end = 0, len(rest)


class FrameWriter:
    """Collects finished frames and writes them whole, in one go. Any thread may use it.

    Items of one stream that follow each other become one frame: `item` adds to the batch that is open at the end of
    the list. A process that was forked from the runner's inherits a writer that writes nothing.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.max_frame_bytes = MAX_FRAME_BYTES
        self._pid = getpid()
        # Held while frames leave the list. Adding one needs no lock: lists change in one step.
        self._lock = allocate_lock()
        self._frames: list[bytes] = []
        self._batch: list[str] = []
        self._batch_id = 0
        self._batch_size = 0
        # Characters of items that become one frame, at most about.
        self.batch_limit = _JOINED_BYTES

    @property
    def is_foreign(self) -> bool:
        """True in a process that was forked from the runner's."""
        return self._pid != getpid()

    @property
    def has_frames(self) -> bool:
        return bool(self._frames or self._batch)

    def add(self, kind: int, identity: int, payload: bytes) -> None:
        """Adds a small frame without flags."""
        if self._batch:
            with self._lock:
                self._close_batch()
        self._frames.append(pack(len(payload), kind, 0, 0, identity) + payload)

    def put(self, kind: int, flags: int, slot: int, identity: int, *parts: bytes) -> None:
        """Adds a frame whose payload is the parts one after the other."""
        size = 0
        for part in parts:
            size += len(part)
        head = pack(size, kind, flags, slot, identity)
        with self._lock:
            if self._batch:
                self._close_batch()
            if size < _JOINED_BYTES:
                self._frames.append(b''.join((head, *parts)))
            else:
                self._frames.extend((head, *parts))

    def item(self, identity: int, text: str) -> None:
        """Adds a stream item given as JSON text."""
        with self._lock:
            if self._batch_id != identity or self._batch_size > self.batch_limit:
                self._close_batch()
                self._batch_id = identity
            self._batch.append(text)
            self._batch_size += len(text)

    def later(self, kind: int, identity: int) -> None:
        """Adds an empty frame without the lock, for finalizers, which may run anywhere."""
        self._frames.append(pack(0, kind, 0, 0, identity))

    def flush(self) -> None:
        """Writes everything that was added, waiting until the other side has taken it."""
        frames = self._frames
        if not frames and not self._batch:
            return
        with self._lock:
            if self._batch:
                self._close_batch()
            count = len(frames)
            if count == 1:
                data = frames.pop()
            else:
                taken = frames[:count]
                del frames[:count]
                data = b''.join(taken) if sum(map(len, taken)) < _JOINED_BYTES else self._write_large(taken)
            if data and self._pid == getpid():
                write_whole(self.descriptor, data)

    def _write_large(self, frames: list[bytes]) -> bytes:
        """Writes large parts as they are. Returns the small ones at the end."""
        small: list[bytes] = []
        if self._pid != getpid():
            return b''
        for frame in frames:
            if len(frame) < _JOINED_BYTES:
                small.append(frame)
            else:
                write_whole(self.descriptor, b''.join(small))
                write_whole(self.descriptor, frame)
                small.clear()
        return b''.join(small)

    def _close_batch(self) -> None:
        texts = self._batch
        if not texts:
            return
        if len(texts) == 1:
            flags, payload = 0, to_bytes(texts[0])
        else:
            flags, payload = BATCH, to_bytes(f'[{",".join(texts)}]')
        self._frames.append(pack(len(payload), ITEM, flags, 0, self._batch_id) + payload)
        self._batch = []
        self._batch_id = self._batch_size = 0


def to_bytes(text: str) -> bytes:
    """UTF-8 of a JSON text. Lone surrogates, which UTF-8 cannot hold, become JSON escapes."""
    return text.encode('utf-8', 'backslashreplace')


def write_whole(descriptor: int, data: bytes) -> None:
    """Writes all of data, waiting for whoever reads it. Silent when nobody reads."""
    try:
        written = os_write(descriptor, data)
        if written < len(data):
            _write_rest(descriptor, memoryview(data)[written:])
    except BlockingIOError:
        _write_rest(descriptor, memoryview(data))
    except (BrokenPipeError, ConnectionResetError):
        # The host is gone; the end of descriptor 3 says so as well, and that is where the runner ends.
        pass


def _write_rest(descriptor: int, rest: memoryview) -> None:
    while rest:
        try:
            rest = rest[os_write(descriptor, rest) :]
        except BlockingIOError:
            # Somebody made the descriptor non-blocking.
            from select import POLLOUT, poll

            poller = poll()
            poller.register(descriptor, POLLOUT)
            poller.poll()
        except (BrokenPipeError, ConnectionResetError):
            return
