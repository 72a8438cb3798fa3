"""Drives one node for a host: turns one at a time, calls beside them, each with its own stream of outputs.

Invariants
- `process()` of data turns runs one at a time, in order of arrival; rpc and the port `barge_in` run beside it (R72).
- An output is handed out before the author's code goes on. What is sent outside of any call comes with the next turn.
- A node that has ended (critical error, SystemExit, `stop()`) was cleaned up, and answers every call with NodeEnded.
- Where an author or a test replaced a private member, frames take the way through it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, AsyncIterator, Callable, Optional

from ...rpc import RpcMode
from .coercion import frames_of, plain_json
from .data import RuntimeData
from .node import MultiprocessNode, NodeStatus
from .turns import (
    CLOSED_SCOPE,
    AuthorError,
    CallScope,
    NodeEnded,
    Turn,
    TurnOutputs,
    close_quietly,
    current_scope,
    is_being_cancelled,
    take_back_cancel,
)

# Frames sent outside of any call are kept for the next turn, this many at most.
MAX_STRAY_FRAMES = 1024
_ROUTED = ('_process_single_message', '_send_output', '_send_end_of_input')


class NodeDriver:
    """`report(error, phase, **facts)` hears of failures that no call answers; `control` of what the node publishes."""

    def __init__(
        self,
        node: MultiprocessNode,
        control: Callable[[str, Any], None],
        report: Callable[..., None],
    ) -> None:
        self.node = node
        self.ended: Optional[str] = None
        self.exit_code: Optional[int] = None
        self._control = control
        self._report = report
        self._turns = asyncio.Lock()
        self._turn: Optional[Turn] = None
        self._stray: deque[RuntimeData] = deque(maxlen=MAX_STRAY_FRAMES)
        self._is_cleaned_up = False
        node._transport = node._control_publisher = self

    # -- what the node sees: a transport ------------------------------------------------------------------------------

    async def send(self, data: Any, session: str) -> None:
        for frame in frames_of(data):
            scope = current_scope.get()
            if scope is None or not await scope.outbox.put(frame):
                self._stray.append(frame)

    async def send_end(self, session: str) -> None:
        """The end of a call is the end of its stream."""

    async def receive(self) -> None:
        await self.node._stop_event.wait()

    def control(self, kind: str, fields: Any) -> None:
        self._control(kind, fields)

    def error(self, error: BaseException, phase: str, **facts: Any) -> None:
        scope = current_scope.get()
        if phase == 'process' and scope is not None:
            scope.error = error
        else:
            self._report(error, phase, **facts)

    def stream_started(self, task: Any) -> None:
        scope = current_scope.get()
        if scope is not None:
            scope.streams.append(task)

    # -- what the host asks -------------------------------------------------------------------------------------------

    async def initialize(self) -> None:
        """DEPS, then `initialize()`; when it raises, `cleanup()` still runs."""
        deps = getattr(type(self.node._rpc_target), '__python_requires__', None)
        if deps:
            self.control('DEPS', list(deps))
        try:
            await self.node._initialize_once()
        except BaseException:
            await self.cleanup()
            raise

    def turn(
        self, data: RuntimeData, encode: Callable[[RuntimeData], Any], is_cancelled: Callable[[], bool]
    ) -> AsyncIterator[Any]:
        """One input with all its outputs, encoded; an envelope with the replies to it.

        The author's failure is raised as AuthorError after the outputs that came before it.
        """
        node = self.node
        blob = node._decode_aux_blob(data)
        if blob is not None:
            if node._is_call(blob):
                return self._scoped(lambda scope: self._dispatch(data, scope), encode)
            if blob[node._AUX_PORT_KEY] == 'barge_in':
                return self._scoped(lambda scope: node._process_single_message(data), encode)
        if self._is_routed():
            return self._scoped(lambda scope: self._routed_turn(data, scope), encode)
        return self._direct_turn(data, encode, is_cancelled)

    def call(self, name: str, args: Any, kwargs: Any, mode: Optional[str], corr_id: Any = None) -> AsyncIterator[Any]:
        """A structured rpc call: its values. Fire and forget has none, its failure is reported instead."""
        method = self.node._rpc_methods.get(name)
        if method is None or method.mode is not RpcMode.FIRE_AND_FORGET and mode != RpcMode.FIRE_AND_FORGET.value:
            return self._scoped(lambda scope: self._values_of(name, args, kwargs, corr_id, scope), None, 'rpc')
        return self._scoped(lambda scope: self._forget(name, args, kwargs), None, 'rpc')

    async def _values_of(self, name: str, args: Any, kwargs: Any, corr_id: Any, scope: CallScope) -> None:
        # Under its id, so that `<method>.__cancel__` reaches it as well.
        task = asyncio.current_task()
        streams = self.node._inflight_streams
        key = corr_id if isinstance(corr_id, (str, int)) else task
        streams[key] = task
        values = self.node.rpc_values(name, args, kwargs)
        try:
            async for value in values:
                await scope.outbox.put(plain_json(value))
        except asyncio.CancelledError:
            if key in streams:
                raise
        finally:
            streams.pop(key, None)
            await close_quietly(values)

    async def _forget(self, name: str, args: Any, kwargs: Any) -> None:
        try:
            async for _ in self.node.rpc_values(name, args, kwargs):
                pass
        except Exception as error:
            self.node.logger.exception('rpc method %s failed', name)
            self._report(error, 'rpc', method=name)

    async def control_message(self, data: RuntimeData) -> None:
        self._check_alive()
        await self.node._handle_control_message(data)

    async def cancel_turn(self) -> bool:
        """Stops the running turn and waits until the next may start; False when none was running."""
        turn = self._turn
        if turn is None:
            return False
        await turn.cancel()
        await asyncio.shield(turn.ended)
        return True

    async def cleanup(self) -> None:
        """Once; what it raises is reported."""
        if not self._is_cleaned_up:
            self._is_cleaned_up = True
            await self.node._cleanup_once()

    async def close(self) -> None:
        """Stops what runs and cleans up."""
        self.node._stop_event.set()
        await self.cancel_turn()
        await self.cleanup()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _check_alive(self) -> None:
        if self.ended is not None:
            raise NodeEnded(self.ended)

    def _is_routed(self) -> bool:
        node = self.node
        kind, own = type(node), node.__dict__
        return any(name in own or getattr(kind, name) is not getattr(MultiprocessNode, name) for name in _ROUTED)

    async def _direct_turn(
        self, data: RuntimeData, encode: Callable[[RuntimeData], Any], is_cancelled: Callable[[], bool]
    ) -> AsyncIterator[Any]:
        """The author's generator is iterated by the consumer's own task: no hand-over per output."""
        node, stray = self.node, self._stray
        await self._turns.acquire()
        outputs = TurnOutputs()
        started = 0.0
        is_complete = False
        error: Optional[BaseException] = None

        def count() -> None:
            nonlocal started
            if started:
                # What was stopped is neither processed nor failed.
                node._end_turn(started, error if is_complete or error else asyncio.CancelledError())
                started = 0.0

        def finish() -> None:
            count()
            self._turn = None
            self._turns.release()

        self._turn = turn = Turn(outputs, finish)
        try:
            self._check_alive()
            current_scope.set(CLOSED_SCOPE)
            started = node._begin_turn(data)
            outputs.of(node.process(data))
            async for frame in outputs.frames:
                turn.is_parked = True
                while stray:
                    yield encode(stray.popleft())
                yield encode(frame)
                turn.is_parked = False
            while stray:
                yield encode(stray.popleft())
            is_complete = not turn.is_cancelled
        except BaseException as raised:
            if turn.is_cancelled and isinstance(raised, asyncio.CancelledError):
                take_back_cancel(turn.task)
            elif isinstance(raised, (GeneratorExit, NodeEnded)) or is_cancelled() or _is_task_cancelled(raised):
                raise
            else:
                error = raised
        finally:
            await close_quietly(outputs)
            count()
            if error is not None:
                await self._end_after(error)
            elif not turn.ended.done():
                await self._end_if_stopped()
            turn.finish()
        if error is not None:
            raise AuthorError(error) from error

    async def _routed_turn(self, data: RuntimeData, scope: CallScope) -> None:
        """The same through the node's private members, for whoever replaced one of them."""
        async with self._turns:
            self._check_alive()
            self._turn = turn = Turn(None, lambda: None)
            try:
                await self.node._process_single_message(data)
            except asyncio.CancelledError:
                if not turn.is_cancelled:
                    raise
                scope.error = None
            except BaseException as error:
                scope.error = error
            finally:
                self._turn = None
                if scope.error is not None:
                    await self._end_after(scope.error)
                else:
                    await self._end_if_stopped()
                turn.finish()

    async def _dispatch(self, data: RuntimeData, scope: CallScope) -> None:
        self._check_alive()
        await self.node._dispatch_aux_frame(data)
        while scope.streams:
            await asyncio.wait({scope.streams.pop()})

    async def _scoped(
        self, run: Callable[[CallScope], Any], encode: Optional[Callable[[RuntimeData], Any]], phase: str = 'process'
    ) -> AsyncIterator[Any]:
        """Runs code in a task of its own and hands out what it sends; its failure comes last."""
        scope = CallScope()
        is_leaving = False

        async def guarded() -> None:
            current_scope.set(scope)
            try:
                self._check_alive()
                await run(scope)
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) and is_leaving:
                    raise
                scope.error = error

        task: Any = asyncio.ensure_future(guarded())
        task.add_done_callback(scope.outbox.finish)
        try:
            while True:
                item = await scope.outbox.get()
                if item is None:
                    break
                yield item[0] if encode is None else encode(item[0])
        finally:
            is_leaving = True
            scope.outbox.abandon()
            for waiting in (task, *scope.streams):
                waiting.cancel()
            await asyncio.wait({task, *scope.streams})
        if scope.error is not None:
            if isinstance(scope.error, NodeEnded):
                raise scope.error
            await self._end_after(scope.error)
            raise AuthorError(scope.error, phase) from scope.error

    async def _end_after(self, error: BaseException) -> None:
        """An error that no node survives ends this one."""
        if isinstance(error, Exception) and self.node._is_critical_error(error):
            await self._end(f'it could not go on after {type(error).__name__}', 1)
        elif isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
            await self._end(f'it exited with code {code}', code)
        elif isinstance(error, KeyboardInterrupt):
            await self._end('it was interrupted', 0)

    async def _end_if_stopped(self) -> None:
        if self.ended is None and self.node._stop_event.is_set():
            await self._end('it stopped itself', 0)

    async def _end(self, reason: str, code: int) -> None:
        if self.ended is None:
            self.ended = f'The node has ended: {reason}'
            self.exit_code = code
            self.node.status = NodeStatus.STOPPING
            await self.cleanup()
            self._control('ENDED', {'reason': reason, 'code': code})


def _is_task_cancelled(error: BaseException) -> bool:
    """Whether somebody cancelled the task that runs, as opposed to an author who raises such an error himself."""
    return isinstance(error, asyncio.CancelledError) and is_being_cancelled()
