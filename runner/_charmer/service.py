"""Serves one conversation on the main thread: reads frames, runs plugin code, writes answers.

1. Plugin code runs on the main thread, one piece at a time. `active` is the call whose code is on top of the stack,
   and None while the runner's own code runs: only an active call can be interrupted by `control`.
2. `turn` serves what waits and steps one stream. It is entered from `serve`, and again from `wait` by plugin code that
   waits for its client stream or an answer; `depth` counts those.
3. Streams are parked between items: whatever their plugin code does, it is left after each item.
4. Once a coroutine has been returned, `driver` runs an asyncio loop in which the same frames are served.
5. A write costs more than a small call. What is finished is written before plugin code runs, unless that code was
   quick many times in a row. The host is told so once, by a pong of id 0; when it then hears nothing for a while, it
   asks for what waits by a ping on the control descriptor, which reaches whatever runs, and the count begins anew.
"""

from __future__ import annotations

from _collections import deque  # type: ignore[import-not-found]
from _struct import unpack
from _thread import get_ident
from time import monotonic, sleep

from . import messages as m
from .calls import Call, Cancelled
from .client_stream import ClientStream, Inbox
from .dialect import Failure, HostError
from .frames import FrameReader, FrameWriter, to_bytes
from .outflow import Outflow
from .values import decode, encode, encode_plain, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    from .control import Control
    from .driver import LoopDriver
    from .host import Answer

# Looked up for every call.
_CALL = m.CALL
_RESULT = m.RESULT
# Calls that may wait inside of each other before further ones are refused.
_MAX_NESTING = 8
# Plugin code that takes longer is not worth a batch, in seconds, and how many times in a row it must be quick.
_QUICK = 100e-6
_PROOF = 16
# Bytes that are worth a write of their own.
_FULL = 64 << 10


class Service:
    """One conversation, from hello to the end of the input."""

    def __init__(self, input: int, output: int) -> None:
        self.reader = FrameReader(input)
        self.writer = FrameWriter(output)
        self.calls: dict[int, Call] = {}
        # Cancels that came by the control descriptor before their calls.
        self.early: set[int] = set()
        # Streams that have credit.
        self.runnable: deque[Outflow] = deque()
        # Questions that the host has yet to answer.
        self.answers: dict[int, Answer] = {}
        self.active: Call | None = None
        self.depth = 0
        self.is_closing = False
        # In a process that plugin code forked from the runner's.
        self.is_foreign = False
        self.dialect: Any = None
        self.dialect_path = ''
        self.operations: list[str] = []
        self.driver: LoopDriver | None = None
        self.control: Control | None = None
        # Pieces of plugin code that were quick since one was not.
        self.quick_runs = 0
        self._clock = 0.0
        self._main_thread = get_ident()
        self._poll: Any = None

    # -- turns

    def serve(self, is_done: Callable[[], bool] | None = None) -> None:
        """Returns when the host has closed the conversation or is gone, or when `is_done` says so."""
        while not self.is_closing and not (is_done is not None and is_done()):
            driver = self.driver
            if driver is not None and driver.is_wanted and not driver.is_running:
                driver.run(is_done)
            else:
                self.turn()

    def turn(self) -> None:
        """Steps a stream, writes what is finished, and serves what has arrived; waits for it if no stream can go on."""
        has_stepped = self.step()
        self.writer.flush()
        if not has_stepped or self.has_input():
            self.fill()
            self.serve_frames()

    def fill(self) -> None:
        if not self.reader.fill():
            self.is_closing = True

    def step(self) -> bool:
        """Lets one stream run for a slice. False: none can."""
        return any(self.runnable.popleft().step() for _ in range(len(self.runnable)))

    def serve_frames(self) -> None:
        next_frame = self.reader.next
        stop_clock = self.stop_clock
        self.start_clock()
        while not self.is_closing:
            frame = next_frame()
            if frame is None:
                return
            kind, flags, slot, identity, payload = frame
            if kind == _CALL:
                self._start_call(flags, slot, identity, payload)
                stop_clock()
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
            self.serve(lambda: is_ready() or (mine is not None and mine.cancelled))
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
        if self.is_foreign:
            return
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
        return self.driver.stepping_call() if self.driver is not None else None

    def has_input(self) -> bool:
        """Whether reading would not wait."""
        if self._poll is None:
            from select import POLLIN, poll

            poller = poll()
            poller.register(self.reader.descriptor, POLLIN)
            self._poll = poller.poll
        return bool(self._poll(0))

    def make_way(self) -> None:
        """Plugin code runs next: writes what is finished, unless it may wait."""
        if self.quick_runs < _PROOF or self.writer.size > _FULL:
            self.writer.flush()

    def start_clock(self) -> float:
        """Plugin code runs next. Returns the time."""
        self._clock = now = monotonic()
        return now

    def stop_clock(self) -> float:
        """A piece of plugin code has run, and another may. Returns the time."""
        now = monotonic()
        if now - self._clock > _QUICK:
            self.quick_runs = 0
        elif self.quick_runs < _PROOF:
            self.quick_runs += 1
            if self.quick_runs == _PROOF:
                self.writer.put(m.PONG, 0, 0, 0)
                self.writer.flush()
        self._clock = now
        return now

    # -- calls

    def _start_call(self, flags: int, slot: int, identity: int, payload: memoryview) -> None:
        if identity in self.early:
            self.writer.put(m.END, 0, 0, identity)
            return
        call = Call(identity, flags)
        self.calls[identity] = call
        try:
            if self.depth > _MAX_NESTING:
                raise Failure('OVERLOADED', f'Worker has {self.depth} calls that wait inside of each other')
            arguments = self._arguments_of(call, flags, payload) if flags else parse(str(payload, 'utf-8'))
            operations = self.operations
            if slot >= len(operations):
                raise Failure('OPERATION_UNKNOWN', f'Slot {slot} is none of {len(operations)} operations')
            call.operation = operation = operations[slot]
            self.make_way()
            self.active = call
            value = self.dialect.call(operation, arguments, call)
            self.active = None
            text = None if flags else encode_plain(value)
            if text is None:
                self.finish_call(call, value)
            elif len(text) < self.writer.small:
                del self.calls[identity]
                self.writer.add(_RESULT, identity, to_bytes(text))
            else:
                self.settle(call, m.RESULT, 0, [to_bytes(text)])
        except BaseException as error:
            self.active = None
            self.fail_call(call, error)

    def _arguments_of(self, call: Call, flags: int, payload: memoryview) -> list[Any]:
        if call.streaming:
            call.outflow = Outflow(self, call)
        try:
            value = decode(payload, flags)
        except (ValueError, TypeError, KeyError) as error:
            raise Failure('ARGUMENT_INVALID', f'Arguments cannot be read: {error}') from None
        if isinstance(value, bytes):
            return [value]
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

    def _open(self, identity: int, message: dict[str, Any]) -> None:
        from .opening import open_dialect

        call = self.calls[identity] = Call(identity)
        self.active = call
        try:
            operations = open_dialect(self, call, message)
            self.active = None
            self.finish_call(call, operations)
        except BaseException as error:
            self.active = None
            self.fail_call(call, error)

    def finish_call(self, call: Call, value: Any) -> None:
        """Settles a call with its value, or follows the value where it is a coroutine or a stream."""
        if hasattr(value, '__await__') or (call.outflow is not None and hasattr(value, '__aiter__')):
            self.driver_of_loop().start(call, value)
        elif call.outflow is not None:
            call.outflow.park(value)
        elif call.opening is not None:
            self.settle(call, m.OPENED, *encode(call.opening.opened(value), 'opened'))
        else:
            self.settle(call, m.RESULT, *call.encode(value, 'result'))

    def fail_call(self, call: Call, error: BaseException) -> None:
        """Settles a call with an exception, or with an end where it was cancelled."""
        if call.cancelled or isinstance(error, Cancelled):
            self.settle(call, m.END)
            return
        from .failures import failure_of, payload_of

        failure = failure_of(error, self.dialect, self.dialect_path, is_opening=call.opening is not None)
        self.settle(call, m.FAILURE, *payload_of(failure))

    def settle(self, call: Call, kind: int, flags: int = 0, parts: Sequence[bytes] = ()) -> None:
        """Sends what ends a call."""
        self.writer.put(kind, flags, 0, call.id, *parts)
        self.calls.pop(call.id, None)
        if call.inbox is not None:
            call.inbox.is_ended = True

    # -- other frames

    def _serve_other(self, kind: int, flags: int, identity: int, payload: memoryview) -> None:
        call = self.calls.get(identity)
        if kind == m.CREDIT:
            if call is not None and call.outflow is not None:
                call.outflow.add_credit(*unpack('<II', payload))
        elif kind == m.CANCEL:
            self.early.discard(identity)
            if call is not None:
                self._cancel(call)
        elif kind == m.ITEM or kind == m.END:
            if call is not None and call.inbox is not None:
                if kind == m.END:
                    call.inbox.end()
                elif not call.inbox.is_dropped:
                    value = decode(payload, flags)
                    call.inbox.deliver(value if flags & m.BATCH else [value], len(payload))
        elif kind == m.FAILURE or kind == m.ANSWER:
            value = decode(payload, flags)
            error = HostError(value.get('message', ''), value.get('code')) if kind == m.FAILURE else None
            if call is None:
                answer = self.answers.pop(identity, None)
                if answer is not None:
                    answer.settle(error, value)
            elif call.inbox is not None:
                call.inbox.end(error)
        elif kind == m.PING:
            self.writer.put(m.PONG, 0, 0, identity)
        elif kind == m.CLOSE:
            self.is_closing = True
        elif kind == m.OPEN:
            self._open(identity, decode(payload, flags))
        elif kind == m.HELLO:
            from .opening import greet

            greet(self, decode(payload))
        else:
            raise Failure('MESSAGE_UNEXPECTED', f'Frame of kind {kind} is not for a runner')

    def _cancel(self, call: Call) -> None:
        """In its place among the frames: stops what is parked; what runs has been told by `control`."""
        call.cancelled = True
        outflow = call.outflow
        if call.task is not None:
            call.task.cancel()
        elif outflow is not None and outflow.is_parked:
            outflow.leave()
            self.settle(call, m.END)

    def driver_of_loop(self) -> LoopDriver:
        """The asyncio loop, created when the first coroutine turns up."""
        if self.driver is None:
            from .driver import LoopDriver

            self.driver = LoopDriver(self, self.control)
        return self.driver
