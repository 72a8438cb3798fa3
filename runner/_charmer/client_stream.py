"""Streams from the host: what has arrived, how much more may come, and the iterator that plugin code is given."""

from __future__ import annotations

from _collections import deque  # type: ignore[import-not-found]
from _struct import pack

from .calls import Call, Waitable
from .messages import CANCEL, CREDIT, WINDOW_BYTES, WINDOW_ITEMS, WINDOW_ITEMS_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AsyncIterator, Iterator

    from .dialect import HostError
    from .service import Service


class Inbox(Waitable):
    """The service's side of a client stream."""

    def __init__(self, service: Service, call: Call) -> None:
        self.service = service
        self.call = call
        self.batches: deque[tuple[list[Any], int]] = deque()
        self.is_ended = False
        self.error: HostError | None = None
        self.is_dropped = False
        self.window = WINDOW_ITEMS
        # Items that were allowed and not consumed yet.
        self.open_items = 0
        self.owed_bytes = 0
        # Items that were taken and that the plugin's loop has not reached.
        self.in_hand = 0
        self.is_wanted = False

    def is_ready(self) -> bool:
        return bool(self.batches) or self.is_ended

    def would_wait(self) -> bool:
        """Whether the next item has yet to come. Then it is asked for."""
        if self.in_hand or self.is_ready():
            return False
        self.want()
        return True

    def deliver(self, items: list[Any], size: int) -> None:
        """Takes items from the host. A consumer that was waiting is faster than its producer: the window grows."""
        if self.is_wanted:
            self.window = min(2 * self.window, WINDOW_ITEMS_LIMIT)
        elif self.batches:
            self.window = max(self.window // 2, WINDOW_ITEMS)
        self.batches.append((items, size))
        self.wake()

    def end(self, error: HostError | None = None) -> None:
        self.is_ended = True
        self.error = error
        self.wake()

    def want(self) -> None:
        self.is_wanted = True
        self._refill()

    def take(self) -> list[Any] | None:
        """The items that have arrived first; None at the end of the stream. Raises what the producer raised."""
        self.is_wanted = False
        if self.batches:
            items, size = self.batches.popleft()
            self.owed_bytes += size
            self.in_hand = len(items)
            return items  # type: ignore[no-any-return]
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return None

    def consumed(self) -> None:
        self.open_items -= 1
        if not self.is_ended:
            self._refill()

    def drop(self) -> None:
        """The plugin wants no more. May run in a finalizer, anywhere."""
        if not self.is_ended and not self.is_dropped:
            self.is_dropped = True
            if self.call.id in self.service.calls:
                self.service.writer.later(CANCEL, self.call.id)
        self.batches.clear()

    def _refill(self) -> None:
        room = max(self.window - self.open_items, 0)
        if 2 * room >= self.window or 2 * self.owed_bytes >= WINDOW_BYTES or (self.is_wanted and not self.open_items):
            self.service.writer.later(CREDIT, self.call.id, pack('<II', room, self.owed_bytes))
            self.open_items += room
            self.owed_bytes = 0
            if not self.is_wanted:
                # A consumer that waits flushes anyway; one that works may work for long.
                self.service.make_way()


class ClientStream:
    """What a plugin is given for a client stream: an iterator, and an asynchronous one under an event loop."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._items: Iterator[Any] | None = None
        self._items_async: AsyncIterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        # The generator itself, so that a loop runs at its speed.
        if self._items is None:
            self._items = _items_of(self._inbox)
        return self._items

    def __next__(self) -> Any:
        return next(iter(self))

    def __aiter__(self) -> AsyncIterator[Any]:
        if self._items_async is None:
            self._items_async = _items_of_async(self._inbox)
        return self._items_async

    def __anext__(self) -> Any:
        return self.__aiter__().__anext__()

    def close(self) -> None:
        """Tells the producer that no more is wanted."""
        self._inbox.drop()


def _items_of(inbox: Inbox) -> Iterator[Any]:
    try:
        while True:
            if inbox.would_wait():
                inbox.service.wait(inbox.is_ready)
            items = inbox.take()
            if items is None:
                return
            for item in items:
                inbox.in_hand -= 1
                yield item
                inbox.consumed()
    finally:
        inbox.drop()


async def _items_of_async(inbox: Inbox) -> AsyncIterator[Any]:
    try:
        while True:
            while inbox.would_wait():
                await inbox.service.driver_of_loop().frames_for(inbox)
            items = inbox.take()
            if items is None:
                return
            for item in items:
                inbox.in_hand -= 1
                yield item
                inbox.consumed()
    finally:
        inbox.drop()
