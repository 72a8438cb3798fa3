"""The asyncio loop: coroutines and asynchronous generators run here while frames go on being served.

A dialect that uses an event loop lives in it. Otherwise the loop runs only while there are tasks; the frames that are
served meanwhile run outside of it, so that plugin code may call `asyncio.run`.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _set_running_loop
from time import monotonic

from .calls import Call, Inbox
from .service import leave_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

    from .control import Control
    from .service import Service

# Longest time that an asynchronous generator runs before others do, in seconds.
_SLICE = 200e-6


class LoopDriver:
    """Owns the loop and the tasks of calls."""

    def __init__(self, service: Service, control: Control | None) -> None:
        self.service = service
        self.control = control
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.is_permanent = False
        self.is_running = False
        self._tasks: dict[asyncio.Task[None], Call] = {}
        self._is_turn_due = False
        self._stop_when: Callable[[], bool] | None = None

    @property
    def is_wanted(self) -> bool:
        return self.is_permanent or bool(self._tasks)

    def run(self, stop_when: Callable[[], bool] | None = None) -> None:
        """Serves frames in the loop until it is no longer wanted, or the conversation ends, or `stop_when` says so."""
        loop = self.loop
        outer, self._stop_when = self._stop_when, stop_when
        descriptor = self.service.reader.descriptor
        loop.add_reader(descriptor, self._on_readable)
        control = self.control
        if control is not None and not control.is_at_end:
            loop.add_reader(control.descriptor, self._on_control)
        self.is_running = True
        self.turn_soon()
        try:
            loop.run_forever()
        finally:
            self.is_running = False
            loop.remove_reader(descriptor)
            if control is not None:
                loop.remove_reader(control.descriptor)
            self._stop_when = outer

    def turn_soon(self) -> None:
        """Writes what is finished, and looks whether there is more to do, before the loop waits."""
        if not self._is_turn_due:
            self._is_turn_due = True
            self.loop.call_soon(self._turn)

    def start(self, call: Call, value: Any) -> None:
        """Follows the coroutine or asynchronous iterator that a call returned."""
        self._start(call, self._follow(call, value))

    def start_opening(self, call: Call, opening: Any, answer: Callable[[Any], None]) -> None:
        """Follows the coroutine that opens the plugin."""
        self._start(call, self._follow_opening(call, opening, answer))

    def current_call(self) -> Call | None:
        """The call whose task is running in this thread's loop."""
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return None
        return self._tasks.get(task) if task is not None else None

    def stepping_call(self) -> Call | None:
        """The call whose coroutine code is on the stack of the main thread."""
        task = asyncio.current_task(self.loop) if self.is_running else None
        return self._tasks.get(task) if task is not None else None

    def waiting_tasks(self) -> Iterator[tuple[str, list[str]]]:
        """The names of the tasks that wait, and the lines where they do."""
        from .stacks import line_of

        running = asyncio.current_task(self.loop) if self.is_running else None
        for task in asyncio.all_tasks(self.loop):
            lines = []
            awaited: Any = None if task is running else task.get_coro()
            while awaited is not None:
                frame = _first_of(awaited, 'cr_frame', 'gi_frame', 'ag_frame')
                line = line_of(frame) if frame is not None else None
                if line is not None:
                    lines.append(line)
                awaited = _first_of(awaited, 'cr_await', 'gi_yieldfrom', 'ag_await')
            if lines:
                yield task.get_name(), lines

    async def frames_for(self, inbox: Inbox) -> None:
        """Waits until the inbox has been given something."""
        inbox.waiter = self.loop.create_future()
        self.turn_soon()
        await inbox.waiter

    def close(self) -> None:
        """Cancels what runs and waits for it. Called when the loop has stopped."""
        tasks = [task for task in asyncio.all_tasks(self.loop) if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def run_to_end(self, awaitable: Any) -> None:
        """Runs one awaitable after the conversation."""

        async def follow() -> None:
            await awaitable

        self.loop.run_until_complete(follow())

    def _start(self, call: Call, coroutine: Any) -> None:
        task = self.loop.create_task(coroutine)
        call.task = task
        self._tasks[task] = call
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        call = self._tasks.pop(task, None)
        if call is not None and task.cancelled() and call.id in self.service.calls:
            # Cancelled before its first step: nothing of it ran that could have settled the call.
            self.service.fail_call(call, asyncio.CancelledError())
        self.turn_soon()

    async def _follow(self, call: Call, value: Any) -> None:
        service = self.service
        try:
            if hasattr(value, '__await__'):
                value = await value
            if not call.streaming:
                call.task = None
                service.finish_call(call, value)
            elif hasattr(value, '__aiter__'):
                await self._pump(call, value)
            else:
                call.task = None
                service.outflows.park(call, value)
        except BaseException as error:
            service.fail_call(call, error)

    async def _follow_opening(self, call: Call, opening: Any, answer: Callable[[Any], None]) -> None:
        try:
            answer(await opening)
        except BaseException as error:
            from .opening import fail_opening

            fail_opening(self.service, call, error)

    async def _pump(self, call: Call, source: Any) -> None:
        service = self.service
        waiters: list[asyncio.Future[None]] = []
        outflow = service.outflows.open_async(call, lambda _: _resolve(waiters))
        iterator = source.__aiter__()
        try:
            began = monotonic()
            service.pacer.begin()
            while True:
                while not outflow.may_send:
                    waiters.append(self.loop.create_future())
                    self.turn_soon()
                    await waiters[-1]
                    began = monotonic()
                    service.pacer.begin()
                service.pacer.make_way()
                try:
                    value = await iterator.__anext__()
                except StopAsyncIteration:
                    break
                service.outflows.send(outflow, value)
                self.turn_soon()
                if service.pacer.ran() - began > _SLICE:
                    await asyncio.sleep(0)
                    began = monotonic()
                    service.pacer.begin()
            service.end_stream(call)
        finally:
            close = getattr(iterator, 'aclose', None)
            if close is not None:
                try:
                    await close()
                except Exception:
                    # The stream has its end; what its clean-up says has no place to go.
                    pass

    def _on_readable(self) -> None:
        # Code that waited on top of this loop may have taken what was there.
        if self.service.has_input() and not self.service.reader.fill():
            self.service.is_closing = True
        self._turn()

    def _on_control(self) -> None:
        control = self.control
        if control is not None:
            control.read(None)
            if control.is_at_end:
                self.loop.remove_reader(control.descriptor)
        self._turn()

    def _turn(self) -> None:
        self._is_turn_due = False
        service = self.service
        if service.writer.is_foreign:
            leave_fork(None)
        if not self.is_permanent:
            _set_running_loop(None)
        try:
            service.serve_frames()
            if service.outflows.step():
                self.turn_soon()
            service.writer.flush()
        finally:
            if not self.is_permanent:
                _set_running_loop(self.loop)
        if service.is_closing or not self.is_wanted or (self._stop_when is not None and self._stop_when()):
            self.loop.stop()


def _first_of(holder: Any, *names: str) -> Any:
    for name in names:
        value = getattr(holder, name, None)
        if value is not None:
            return value
    return None


def _resolve(waiters: list[asyncio.Future[None]]) -> None:
    while waiters:
        waiter = waiters.pop()
        if not waiter.done():
            waiter.set_result(None)
