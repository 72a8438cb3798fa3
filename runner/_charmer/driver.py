"""The asyncio loop: coroutines and asynchronous generators run here while frames go on being served.

A dialect that uses an event loop lives in it. Otherwise the loop runs only while there are tasks; the frames that are
served meanwhile run outside of it, so that plugin code may call `asyncio.run`.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _set_running_loop
from asyncio.runners import _cancel_all_tasks  # type: ignore[attr-defined]

from . import messages as m
from .calls import Call, Waitable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

    from .control import Control
    from .outflow import Outflow
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
        self._is_done: Callable[[], bool] | None = None

    @property
    def is_wanted(self) -> bool:
        return self.is_permanent or bool(self._tasks)

    def run(self, is_done: Callable[[], bool] | None) -> None:
        """Serves frames in the loop until it is no longer wanted, or the conversation ends, or `is_done` says so."""
        loop = self.loop
        outer, self._is_done = self._is_done, is_done
        descriptor = self.service.reader.descriptor
        loop.add_reader(descriptor, self._on_readable)
        control = self.control
        if control is not None and not control.is_at_end:
            loop.add_reader(control.descriptor, self._on_control, control)
        self.is_running = True
        self.turn_soon()
        try:
            loop.run_forever()
        finally:
            self.is_running = False
            loop.remove_reader(descriptor)
            if control is not None:
                loop.remove_reader(control.descriptor)
            self._is_done = outer

    def turn_soon(self) -> None:
        """Writes what is finished, and looks whether there is more to do, before the loop waits."""
        if not self._is_turn_due:
            self._is_turn_due = True
            self.loop.call_soon(self._turn)

    def start(self, call: Call, value: Any) -> None:
        """Follows the coroutine or asynchronous iterator that a call returned."""
        call.task = task = self.loop.create_task(self._follow(call, value))
        self._tasks[task] = call
        task.add_done_callback(self._forget)

    def stepping_call(self, loop: asyncio.AbstractEventLoop | None = None) -> Call | None:
        """The call whose coroutine code is on the stack of a loop's thread, or else of this one."""
        try:
            task = asyncio.current_task(loop)
        except RuntimeError:
            return None
        return self._tasks.get(task) if task is not None else None

    def waiting_tasks(self) -> Iterator[tuple[str, list[Any]]]:
        """The names of the tasks that wait, and the frames where they do."""
        for task in asyncio.all_tasks(self.loop):
            if task is not asyncio.current_task(self.loop):
                frames = []
                awaited: Any = task.get_coro()
                while awaited is not None:
                    frames.append(_first_of(awaited, 'cr_frame', 'gi_frame', 'ag_frame'))
                    awaited = _first_of(awaited, 'cr_await', 'gi_yieldfrom', 'ag_await')
                yield task.get_name(), frames

    async def frames_for(self, waiting: Waitable) -> None:
        """Waits until frames have woken it: an inbox has been given items, or an outflow credit."""
        waiting.waiter = self.loop.create_future()
        self.turn_soon()
        await waiting.waiter

    def close(self) -> None:
        """Cancels what runs and waits for it. Called when the loop has stopped."""
        _cancel_all_tasks(self.loop)
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def _forget(self, task: asyncio.Task[None]) -> None:
        call = self._tasks.pop(task, None)
        if call is not None and task.cancelled() and call.id in self.service.calls:
            # Cancelled before its first step: nothing of it ran that could have settled the call.
            self.service.fail_call(call, asyncio.CancelledError())
        self.turn_soon()

    async def _follow(self, call: Call, value: Any) -> None:
        try:
            if hasattr(value, '__await__'):
                value = await value
            if call.outflow is not None and hasattr(value, '__aiter__'):
                await self._pump(call, call.outflow, value.__aiter__())
            else:
                call.task = None
                self.service.finish_call(call, value)
        except BaseException as error:
            self.service.fail_call(call, error)

    async def _pump(self, call: Call, outflow: Outflow, iterator: Any) -> None:
        service = self.service
        try:
            deadline = service.start_clock() + _SLICE
            while True:
                while not outflow.may_send:
                    await self.frames_for(outflow)
                    deadline = service.start_clock() + _SLICE
                service.make_way()
                try:
                    value = await iterator.__anext__()
                except StopAsyncIteration:
                    break
                outflow.send(value)
                self.turn_soon()
                if service.stop_clock() > deadline:
                    await asyncio.sleep(0)
                    deadline = service.start_clock() + _SLICE
            service.settle(call, m.END)
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
        if self.service.has_input():
            self.service.fill()
        self._turn()

    def _on_control(self, control: Control) -> None:
        control.read(None)
        if control.is_at_end:
            self.loop.remove_reader(control.descriptor)
        self._turn()

    def _turn(self) -> None:
        self._is_turn_due = False
        service = self.service
        if not self.is_permanent:
            _set_running_loop(None)
        try:
            service.serve_frames()
            if service.step():
                self.turn_soon()
            service.writer.flush()
        finally:
            if not self.is_permanent:
                _set_running_loop(self.loop)
        if service.is_closing or not self.is_wanted or (self._is_done is not None and self._is_done()):
            self.loop.stop()


def _first_of(holder: Any, *names: str) -> Any:
    return next((value for name in names if (value := getattr(holder, name, None)) is not None), None)
