"""Streams to the host: parked between items, stepped in turn while there is credit."""

from __future__ import annotations

from _collections import deque  # type: ignore[import-not-found]
from time import monotonic

from . import messages as m
from .calls import Call, Outflow
from .dialect import Failure
from .frames import to_bytes
from .values import encode, encode_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .service import Service

# Characters of a value that is small: it goes out together with others.
SMALL = 64 << 10
# Longest time that a stream runs before frames are looked for, in seconds.
_SLICE = 50e-6


class Outflows:
    """All streams to the host, and the credit that came before they were opened."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.runnable: deque[Outflow] = deque()
        self._granted: dict[int, tuple[int, int]] = {}

    def credit(self, call: Call, items: int, size: int) -> None:
        """Takes credit, for now or for when the stream is opened."""
        if call.outflow is not None:
            call.outflow.add_credit(items, size)
        else:
            had_items, had_size = self._granted.get(call.id, (0, 0))
            self._granted[call.id] = (had_items + items, had_size + size)

    def forget(self, call: Call) -> None:
        self._granted.pop(call.id, None)

    def open(self, call: Call, value: Any) -> None:
        """Follows what a call returned that is to be a stream."""
        if hasattr(value, '__await__') or hasattr(value, '__aiter__'):
            self._service.driver_of_loop().start(call, value)
        else:
            self.park(call, value)

    def park(self, call: Call, value: Any) -> None:
        """Keeps an iterator until there is credit."""
        service = self._service
        outflow = call.outflow = Outflow(call, self._wake)
        service.active = call
        try:
            iterator = iter(value)
        except TypeError:
            if hasattr(type(value), '__iter__'):
                raise
            kind = type(value).__name__
            raise Failure(
                'RESULT_INVALID', f"Stream '{call.operation}' returned '{kind}', expected an iterable"
            ) from None
        finally:
            service.active = None
        outflow.advance = iterator.__next__
        outflow.close = getattr(iterator, 'close', outflow.close)
        self._grant_early(outflow)

    def open_async(self, call: Call, wake: Callable[[Outflow], None]) -> Outflow:
        """The credit of an asynchronous iterator, which `driver` pulls."""
        outflow = call.outflow = Outflow(call, wake)
        self._grant_early(outflow)
        return outflow

    def _grant_early(self, outflow: Outflow) -> None:
        credit = self._granted.pop(outflow.call.id, None)
        if credit is not None:
            outflow.add_credit(*credit)

    def _wake(self, outflow: Outflow) -> None:
        if not outflow.is_queued and not outflow.is_busy and outflow.may_send:
            outflow.is_queued = True
            self.runnable.append(outflow)

    def step(self) -> bool:
        """Lets one stream run for a slice. False: none can."""
        for _ in range(len(self.runnable)):
            outflow = self.runnable.popleft()
            if self._service.depth and self._would_wait(outflow):
                self.runnable.append(outflow)
                continue
            outflow.is_queued = False
            if outflow.call.id in self._service.calls:
                outflow.is_busy = True
                try:
                    self._pull(outflow)
                finally:
                    outflow.is_busy = False
                self._wake(outflow)
            return True
        return False

    def _would_wait(self, outflow: Outflow) -> bool:
        """Whether a stream's code would wait on top of code that waits, which could not go on before it."""
        inbox = outflow.call.inbox
        if inbox is None or inbox.in_hand or inbox.is_ready():
            return False
        inbox.want()
        return True

    def _pull(self, outflow: Outflow) -> None:
        service = self._service
        call = outflow.call
        pacer = service.pacer
        advance = outflow.advance
        pacer.begin()
        deadline = monotonic() + _SLICE
        try:
            while outflow.may_send and not (self._service.depth and self._would_wait(outflow)):
                if not pacer.is_quick:
                    service.writer.flush()
                service.active = call
                value = advance()
                service.active = None
                self.send(outflow, value)
                if pacer.ran() > deadline:
                    return
        except StopIteration:
            service.active = None
            service.end_stream(call)
        except BaseException as error:
            service.active = None
            service.fail_call(call, error)
            self.leave(outflow)

    def send(self, outflow: Outflow, value: Any) -> None:
        """Adds an item to what is written next. Raises Failure RESULT_INVALID."""
        service = self._service
        call = outflow.call
        text = encode_plain(value)
        if text is not None and not call.raw:
            size = len(text)
            if size < service.small:
                service.writer.item(call.id, text)
                outflow.credit -= 1
                outflow.budget -= size
                return
            flags, parts = 0, [to_bytes(text)]
        elif call.raw and isinstance(value, (bytes, bytearray, memoryview)):
            flags, parts = m.RAW, [bytes(value)]
        else:
            flags, parts = encode(value, 'item')
        outflow.budget -= service.check_size(parts, 'Item')
        outflow.credit -= 1
        service.writer.put(m.ITEM, flags, 0, call.id, *parts)

    def leave(self, outflow: Outflow) -> None:
        """Runs the clean-up of a generator that is left before its end."""
        try:
            outflow.close()
        except BaseException:
            # Its consumer is gone; there is nobody to tell.
            if self._service.writer.is_foreign:
                raise
