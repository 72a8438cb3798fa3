"""The outputs of one session that nobody has taken yet: in order, taken by kind, within the host's credit."""

from __future__ import annotations

import asyncio
import collections
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .errors import TurnError
from .marshal import marshal_out

# The host lets 64 outputs or 16 MiB travel; with half of either taken, more may come.
_REFILL_ITEMS = 32
_REFILL_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Output:
    """One thing that came out. `kind` is the kind of the value: text, audio, json, binary, video, ..."""

    node: str
    # Number of the input that it answers, from 1.
    turn: int
    kind: str
    data: Any
    annotations: Optional[dict[str, Any]] = None

    @property
    def stream(self) -> str:
        """`audio`, `video` or `data`: which of the three receivers it is for."""
        return self.kind if self.kind in ('audio', 'video') else 'data'


class _Entry:
    """An output or the error of a turn, and whether the host knows already that it may send another."""

    def __init__(self, value: Any, size: int = 0, is_granted: bool = False) -> None:
        self.value = value
        self.size = size
        self.is_granted = is_granted


class OutputQueue:
    """Filled by the reader's thread, emptied by any number of waiting receivers. Nothing that came is lost.

    A turn that failed is for the next receiver, whatever it waits for. What waits for one receiver does not stop what
    comes for another: it is set aside, and the host is told to go on.
    """

    def __init__(self, grant: Callable[[int], None]) -> None:
        self._grant = grant
        self._entries: collections.deque[_Entry] = collections.deque()
        self._waiting: list[tuple[Optional[str], Future[Any]]] = []
        self._has_ended = False
        self._failure: Optional[Exception] = None
        self._credit = 0
        self._credit_bytes = 0
        self._lock = threading.Lock()

    def take_message(self, message: dict[str, Any]) -> None:
        """The reader's side."""
        if message['kind'] == 'end':
            self.end(message.get('failure'))
            return
        if message.get('error') is not None:
            value: Any = TurnError(message['node'], message['turn'], message['error'])
        else:
            data = message['data']
            annotations = data.get('annotations')
            value = Output(message['node'], message['turn'], message['type'], marshal_out(data), annotations)
        with self._lock:
            self._entries.append(_Entry(value, message['frame_bytes']))
            self._serve()

    def end(self, failure: Optional[Exception] = None) -> None:
        """Nothing more comes. Who waits, and who asks once all is taken, gets None, or the failure once."""
        with self._lock:
            if not self._has_ended:
                self._has_ended, self._failure = True, failure
            self._serve()

    def take(self, stream: Optional[str]) -> Optional[Output]:
        """What is there now for a receiver, or None. Raises the error of a turn."""
        with self._lock:
            entry = self._pop(stream)
            self._flush()
        return _outcome(entry.value) if entry is not None else None

    async def next(self, stream: Optional[str]) -> Optional[Output]:
        """The next output for a receiver; None at the end. Raises the error of a turn."""
        future: Future[Any] = Future()
        with self._lock:
            self._waiting.append((stream, future))
            self._serve()
        try:
            value = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._give_back(future)
            raise
        return _outcome(value)

    def _give_back(self, future: Future[Any]) -> None:
        """A receiver gave up: what it was given in that moment is for the next one."""
        with self._lock:
            self._waiting = [waiting for waiting in self._waiting if waiting[1] is not future]
            if future.cancel() or future.cancelled():
                return
            value = future.result()
            if value is not None:
                self._entries.appendleft(_Entry(value, is_granted=True))
                self._serve()

    def _serve(self) -> None:
        """Gives receivers what is there for them, oldest receiver first."""
        still_waiting = []
        for stream, future in self._waiting:
            if future.cancelled():
                continue
            entry = self._pop(stream)
            if entry is not None:
                future.set_result(entry.value)
            elif self._has_ended:
                future.set_result(self._last_word())
            else:
                still_waiting.append((stream, future))
        self._waiting = still_waiting
        if still_waiting:
            for entry in self._entries:
                self._count(entry)
        self._flush()

    def _pop(self, stream: Optional[str]) -> Optional[_Entry]:
        for index, entry in enumerate(self._entries):
            if stream is None or isinstance(entry.value, TurnError) or entry.value.stream == stream:
                del self._entries[index]
                self._count(entry)
                return entry
        if not self._entries and self._has_ended and self._failure is not None:
            return _Entry(self._last_word(), is_granted=True)
        return None

    def _last_word(self) -> Optional[Exception]:
        failure, self._failure = self._failure, None
        return failure

    def _count(self, entry: _Entry) -> None:
        if not entry.is_granted:
            entry.is_granted = True
            self._credit += 1
            self._credit_bytes += entry.size

    def _flush(self) -> None:
        if self._has_ended or (self._credit < _REFILL_ITEMS and self._credit_bytes < _REFILL_BYTES):
            return
        credit, self._credit, self._credit_bytes = self._credit, 0, 0
        self._grant(credit)


def _outcome(value: Any) -> Optional[Output]:
    if isinstance(value, Exception):
        raise value
    return value  # type: ignore[no-any-return]
