"""A stream to the host: parked between items, stepped in turn with others while there is credit."""

from __future__ import annotations

from . import messages as m
from .calls import Call, Waitable
from .dialect import Failure
from .frames import to_bytes
from .values import encode_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .service import Service

# Longest time that a stream runs before frames are looked for, in seconds.
_SLICE = 50e-6


class Outflow(Waitable):
    """The items of one call, and the credit that allows them."""

    def __init__(self, service: Service, call: Call) -> None:
        self.service = service
        self.call = call
        self.credit = 0
        self.budget = m.WINDOW_BYTES
        # Its code is on the stack: it must not be entered again.
        self.is_busy = False
        self._is_queued = False
        self._advance: Any = None
        self._close: Any = None

    @property
    def is_parked(self) -> bool:
        return self._advance is not None and not self.is_busy

    @property
    def may_send(self) -> bool:
        return self.credit > 0 and self.budget > 0

    def add_credit(self, items: int, size: int) -> None:
        self.credit += items
        self.budget = min(m.WINDOW_BYTES, self.budget + size)
        self.wake()
        self._queue()

    def park(self, value: Any) -> None:
        """Keeps what a call returned until there is credit."""
        service = self.service
        service.active = self.call
        try:
            iterator = iter(value)
        except TypeError:
            if hasattr(type(value), '__iter__'):
                raise
            name, kind = self.call.operation, type(value).__name__
            raise Failure('RESULT_INVALID', f"Stream '{name}' returned '{kind}', expected an iterable") from None
        finally:
            service.active = None
        self._advance = iterator.__next__
        self._close = getattr(iterator, 'close', None)
        self._queue()

    def step(self) -> bool:
        """Runs for a slice. False: its code would wait on top of code that waits, which could not go on before it."""
        service = self.service
        call = self.call
        if self._would_wait():
            service.runnable.append(self)
            return False
        self._is_queued = False
        if call.id not in service.calls:
            return True
        self.is_busy = True
        advance = self._advance
        deadline = service.start_clock() + _SLICE
        try:
            while self.credit > 0 and self.budget > 0:
                service.make_way()
                service.active = call
                value = advance()
                service.active = None
                self.send(value)
                if service.stop_clock() > deadline or self._would_wait():
                    break
        except StopIteration:
            service.active = None
            service.settle(call, m.END)
        except BaseException as error:
            service.active = None
            service.fail_call(call, error)
            self.leave()
        finally:
            self.is_busy = False
        self._queue()
        return True

    def send(self, value: Any) -> None:
        """Adds an item to what is written next. Raises Failure RESULT_INVALID."""
        writer = self.service.writer
        call = self.call
        text = None if call.raw else encode_plain(value)
        if text is not None and len(text) < writer.small:
            writer.item(call.id, text)
            size = len(text)
        else:
            flags, parts = (0, [to_bytes(text)]) if text is not None else call.encode(value, 'item')
            size = writer.put(m.ITEM, flags, 0, call.id, *parts)
        self.credit -= 1
        self.budget -= size

    def leave(self) -> None:
        """Runs the clean-up of a generator that is left before its end."""
        if self._close is not None:
            try:
                self._close()
            except BaseException:
                # Its consumer is gone; there is nobody to tell.
                pass

    def _queue(self) -> None:
        if self.is_parked and not self._is_queued and self.may_send:
            self._is_queued = True
            self.service.runnable.append(self)

    def _would_wait(self) -> bool:
        inbox = self.call.inbox
        return inbox is not None and self.service.depth > 0 and inbox.would_wait()
