"""Serves one conversation on the main thread: reads frames, runs plugin code, writes answers.

1. Plugin code runs on the main thread, one piece at a time. `active` is the call whose code is on top of the stack,
   and None while the runner's own code runs: only an active call can be interrupted by `control`.
2. `turn` serves what waits and steps one stream. It is entered from `serve`, and again from `wait` by plugin code that
   waits for its client stream or an answer; `depth` counts those.
3. Streams are parked between items: whatever their plugin code does, it is left after each item.
4. Once a coroutine has been returned, `driver` runs an asyncio loop in which the same frames are served.
"""

from __future__ import annotations

import sys
from _struct import unpack
from _thread import get_ident
from time import sleep

from . import messages as m
from .calls import Call, Cancelled, ClientStream, Inbox
from .dialect import Failure, HostError
from .frames import FrameReader, FrameWriter, to_bytes
from .outflows import SMALL, Outflows
from .pacing import Pacer
from .values import decode, encode, encode_plain, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    from .control import Control
    from .driver import LoopDriver

# Looked up for every call.
_CALL = m.CALL
_RESULT = m.RESULT
# Calls that may wait inside of each other before further ones are refused.
_MAX_NESTING = 8


class Service:
    """One conversation, from hello to the end of the input."""

    def __init__(self, input: int, output: int) -> None:
        self.reader = FrameReader(input)
        self.writer = FrameWriter(output)
        self.pacer = Pacer(self.writer)
        self.calls: dict[int, Call] = {}
        # Cancels that came by the control descriptor before their calls.
        self.early: set[int] = set()
        self.active: Call | None = None
        self.depth = 0
        self.is_closing = False
        self.dialect: Any = None
        self.dialect_path = ''
        self.operations: list[str] = []
        self.answers: dict[int, Any] = {}
        self.driver: LoopDriver | None = None
        self.control: Control | None = None
        self.outflows = Outflows(self)
        # Characters of a value that needs no look at the limit of frames.
        self.small = SMALL
        self._main_thread = get_ident()
        self._poll: Any = None

    def limit_frames(self, max_frame_bytes: int) -> None:
        """Sets the size of the largest payload taken or sent."""
        self.reader.max_frame_bytes = self.writer.max_frame_bytes = max_frame_bytes
        # A character is four bytes at most, and a batch grows by one small value over its limit.
        self.small = self.writer.batch_limit = min(SMALL, max_frame_bytes // 8)

    # -- turns

    def serve(self) -> None:
        """Returns when the host has closed the conversation or is gone."""
        while not self.is_closing:
            if self.driver is not None and self.driver.is_wanted:
                self.driver.run()
            else:
                self.turn()

    def turn(self) -> None:
        """Steps a stream, writes what is finished, and serves what has arrived; waits for it if no stream can go on."""
        has_stepped = bool(self.outflows.runnable) and self.outflows.step()
        self.writer.flush()
        if has_stepped and not self.has_input():
            return
        try:
            if not self.reader.fill():
                self.is_closing = True
        except OSError:
            if self.writer.is_foreign:
                leave_fork(None)
            raise
        self.serve_frames()

    def serve_frames(self) -> None:
        next_frame = self.reader.next
        ran = self.pacer.ran
        self.pacer.begin()
        while not self.is_closing:
            frame = next_frame()
            if frame is None:
                return
            kind, flags, slot, identity, payload = frame
            if kind == _CALL:
                self._start_call(flags, slot, identity, payload)
                ran()
            else:
                self._serve_other(kind, flags, identity, payload)

    def wait(self, is_ready: Callable[[], bool]) -> None:
        """Serves other frames until something has arrived. Called from plugin code."""
        if get_ident() != self._main_thread:
            while not is_ready() and not self.is_closing:
                sleep(1e-3)
            return
        mine = self.active
        self.active = None
        self.depth += 1
        try:
            # Frames that arrived together with the one that is being served.
            self.serve_frames()
            while not is_ready() and not self.is_closing and not (mine is not None and mine.cancelled):
                driver = self.driver
                if driver is not None and driver.is_wanted and not driver.is_running:
                    driver.run(is_ready)
                else:
                    self.turn()
        finally:
            self.depth -= 1
            self.active = mine
        self.check_cancelled(mine)

    def check_cancelled(self, call: Call | None) -> None:
        """Raises what `control` could not raise while the runner's own code ran."""
        if call is not None and not call.was_interrupted and (call.cancelled or self.is_closing):
            call.was_interrupted = True
            raise Cancelled

    def send_now(self, kind: int, flags: int, identity: int, parts: Sequence[bytes]) -> None:
        """Sends a frame at once, from plugin code of any thread."""
        is_main = get_ident() == self._main_thread
        mine = self.active
        if is_main:
            self.active = None
        self.writer.put(kind, flags, 0, identity, *parts)
        self.writer.flush()
        if is_main:
            self.active = mine
            self.check_cancelled(mine)

    def current_call(self) -> Call | None:
        """The call that the running code belongs to."""
        if get_ident() == self._main_thread and self.active is not None:
            return self.active
        return self.driver.current_call() if self.driver is not None else None

    def has_input(self) -> bool:
        """Whether reading would not wait."""
        if self._poll is None:
            from select import POLLIN, poll

            poller = poll()
            poller.register(self.reader.descriptor, POLLIN)
            self._poll = poller.poll
        return bool(self._poll(0))

    # -- calls

    def _start_call(self, flags: int, slot: int, identity: int, payload: memoryview) -> None:
        if self.early and identity in self.early:
            self.writer.put(m.END, 0, 0, identity)
            return
        call = Call(identity, flags)
        self.calls[identity] = call
        pacer = self.pacer
        try:
            if self.depth > _MAX_NESTING:
                raise Failure('OVERLOADED', f'Worker has {self.depth} calls that wait inside of each other')
            arguments = self._arguments_of(call, flags, payload) if flags else parse(str(payload, 'utf-8'))
            operations = self.operations
            if slot >= len(operations):
                raise Failure('OPERATION_UNKNOWN', f'Slot {slot} is none of {len(operations)} operations')
            call.operation = operation = operations[slot]
            if not pacer.is_quick:
                self.writer.flush()
            self.active = call
            value = self.dialect.call(operation, arguments, call)
            self.active = None
            if not flags:
                text = encode_plain(value)
                if text is not None and len(text) < self.small:
                    del self.calls[identity]
                    self.writer.add(_RESULT, identity, to_bytes(text))
                else:
                    self.finish_call(call, value)
            elif call.streaming:
                self.outflows.open(call, value)
            else:
                self.finish_call(call, value)
        except BaseException as error:
            self.active = None
            self.fail_call(call, error)

    def _arguments_of(self, call: Call, flags: int, payload: memoryview) -> list[Any]:
        if flags & m.RAW and not flags & m.ATTACHED:
            return [bytes(payload)]
        try:
            value = decode(payload, flags)
        except (ValueError, TypeError, KeyError) as error:
            raise Failure('ARGUMENT_INVALID', f'Arguments cannot be read: {error}') from None
        if flags & m.OPTIONS:
            call.options = value['options']
            value = value['args']
        if flags & m.TAGGED:
            from .tagged_values import StreamPlace

            for index, argument in enumerate(value):
                if isinstance(argument, StreamPlace):
                    call.inbox = Inbox(self, call)
                    value[index] = ClientStream(call.inbox)
        arguments: list[Any] = value
        return arguments

    def finish_call(self, call: Call, value: Any) -> None:
        """Settles a call with its value, or follows the value where it is a coroutine."""
        if call.raw:
            if isinstance(value, (bytes, bytearray, memoryview)):
                self._settle(call, m.RESULT, m.RAW, bytes(value))
                return
        else:
            text = encode_plain(value)
            if text is not None:
                self._settle(call, m.RESULT, 0, to_bytes(text))
                return
        if hasattr(value, '__await__'):
            self.driver_of_loop().start(call, value)
        elif call.raw:
            kind = type(value).__name__
            raise Failure('RESULT_INVALID', f"Raw operation '{call.operation}' returned '{kind}', expected bytes")
        else:
            flags, parts = encode(value, 'result')
            self._settle(call, m.RESULT, flags, *parts)

    def fail_call(self, call: Call, error: BaseException) -> None:
        """Settles a call with an exception, or with an end where it was cancelled."""
        if self.writer.is_foreign:
            leave_fork(error)
        if call.cancelled or isinstance(error, Cancelled):
            self._settle(call, m.END, 0)
            return
        from .failures import failure_of, payload_of

        flags, parts = payload_of(failure_of(error, self.dialect, self.dialect_path))
        self._settle(call, m.FAILURE, flags, *parts)

    def end_stream(self, call: Call) -> None:
        self._settle(call, m.END, 0)

    def _settle(self, call: Call, kind: int, flags: int, *parts: bytes) -> None:
        if kind == m.RESULT:
            self.check_size(parts, 'Result')
        self.calls.pop(call.id, None)
        self.outflows.forget(call)
        if call.inbox is not None:
            call.inbox.is_ended = True
        self.writer.put(kind, flags, 0, call.id, *parts)

    def check_size(self, parts: Sequence[bytes], what: str) -> int:
        size = sum(map(len, parts))
        limit = self.writer.max_frame_bytes
        if size > limit:
            raise Failure('OUTPUT_TOO_LARGE', f'{what} of {size} bytes is larger than the limit of {limit}')
        return size

    # -- other frames

    def _serve_other(self, kind: int, flags: int, identity: int, payload: memoryview) -> None:
        if kind == m.CREDIT:
            self._credit(identity, payload)
        elif kind == m.CANCEL:
            self.cancel(identity)
        elif kind == m.ITEM:
            self._deliver(identity, flags, payload)
        elif kind == m.END or kind == m.FAILURE or kind == m.ANSWER:
            self._settle_inward(kind, flags, identity, payload)
        elif kind == m.PING:
            self.writer.put(m.PONG, 0, 0, identity)
        elif kind == m.CLOSE:
            self.is_closing = True
        elif kind == m.OPEN or kind == m.HELLO:
            from .opening import greet, open_dialect

            greet(self, payload) if kind == m.HELLO else open_dialect(self, identity, decode(payload, flags))
        else:
            raise Failure('MESSAGE_UNEXPECTED', f'Frame of kind {kind} is not for a runner')

    def _credit(self, identity: int, payload: memoryview) -> None:
        call = self.calls.get(identity)
        if call is not None:
            self.outflows.credit(call, *unpack('<II', payload))

    def cancel(self, identity: int) -> None:
        """A cancel in its place among the frames: stops what is parked; what runs has been told by `control`."""
        self.early.discard(identity)
        call = self.calls.get(identity)
        if call is None:
            return
        call.cancelled = True
        outflow = call.outflow
        if call.task is not None:
            call.task.cancel()
        elif outflow is not None and not outflow.is_busy:
            self.outflows.leave(outflow)
            self.end_stream(call)

    def _deliver(self, identity: int, flags: int, payload: memoryview) -> None:
        call = self.calls.get(identity)
        if call is None or call.inbox is None or call.inbox.is_dropped:
            return
        size = len(payload)
        if flags & m.RAW:
            items = [bytes(payload)]
        else:
            value = decode(payload, flags)
            items = value if flags & m.BATCH else [value]
        call.inbox.deliver(items, size)

    def _settle_inward(self, kind: int, flags: int, identity: int, payload: memoryview) -> None:
        error = None
        if kind == m.FAILURE:
            failure = decode(payload, flags)
            error = HostError(failure.get('message', ''), failure.get('code'))
        if identity % 2 == 0:
            waiter = self.answers.pop(identity, None)
            if waiter is not None:
                waiter(error, decode(payload, flags) if kind == m.ANSWER else None)
            return
        call = self.calls.get(identity)
        if call is not None and call.inbox is not None:
            call.inbox.end(error)

    def driver_of_loop(self) -> LoopDriver:
        """The asyncio loop, created when the first coroutine turns up."""
        if self.driver is None:
            from .driver import LoopDriver

            self.driver = LoopDriver(self, self.control)
        return self.driver


def leave_fork(error: BaseException | None) -> None:
    """Ends a process that plugin code forked and that came back into the runner: the wire is not its own."""
    from posix import _exit

    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        from traceback import print_exception

        print_exception(type(error), error, error.__traceback__)
        status = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    _exit(status)
