"""The life of a node when it reads its inputs itself: initialize, inputs one after the other, cleanup."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Optional

from .data import RuntimeData
from .node_config import NodeStatus
from .results import outputs_of, settled
from .rpc_dispatch import RpcDispatch


class NodeExit(Exception):
    """Carries the `SystemExit` or `KeyboardInterrupt` of a turn out of its task."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class NodeLoop(RpcDispatch):
    """The part of `MultiprocessNode` that drives it. A host drives it from outside instead, see `driver.py`."""

    status: NodeStatus
    _status: NodeStatus
    _transport: Any
    _control_publisher: Any
    _stop_event: Any
    _init_complete: Any
    _current_session_id: Optional[str]
    session_id: str
    messages_processed: int
    messages_failed: int
    processing_time_total: float
    _turns_running: int

    def initialize(self) -> Any:
        raise NotImplementedError

    def process(self, data: Any) -> Any:
        raise NotImplementedError

    def cleanup(self) -> Any:
        raise NotImplementedError

    async def _publish_ready_signal(self) -> None:
        raise NotImplementedError

    async def _handle_control_message(self, data: RuntimeData) -> None:
        raise NotImplementedError

    def _is_critical_error(self, exc: BaseException) -> bool:
        raise NotImplementedError

    async def _initialize_once(self) -> None:
        self.status = NodeStatus.INITIALIZING
        try:
            await settled(self.initialize())
        except BaseException:
            self.status = NodeStatus.ERROR
            raise
        self.status = NodeStatus.READY
        self._init_complete.set()

    async def _cleanup_once(self) -> None:
        """`cleanup()`, with what it raises reported and not raised."""
        self.status = NodeStatus.STOPPING
        for task in list(self._inflight_streams.values()):
            task.cancel()
        try:
            await settled(self.cleanup())
        except Exception as error:
            self.logger.exception('cleanup() failed')
            self._report_error(error, 'cleanup')
        finally:
            self.status = NodeStatus.STOPPED

    async def _process_loop_with_init(self) -> None:
        await self._initialize_once()
        await self._publish_ready_signal()
        await self._process_loop_only()

    async def _process_loop(self) -> None:
        await self._process_loop_only()

    async def _process_loop_only(self) -> None:
        """Reads inputs until `stop()` or the end of them. Turns run one at a time, calls beside them (R72)."""
        turns = asyncio.Lock()
        running: set[Any] = set()
        failed: list[BaseException] = []

        def finished(task: Any) -> None:
            running.discard(task)
            if not task.cancelled() and task.exception() is not None:
                failed.append(task.exception())
                self._stop_event.set()

        while not self._stop_event.is_set():
            data = await self._receive_input()
            if data is None:
                break
            task = asyncio.ensure_future(self._handle_input(data, turns))
            running.add(task)
            task.add_done_callback(finished)
        if running:
            await asyncio.wait(set(running))
        if failed:
            raise failed[0]

    async def _handle_input(self, data: RuntimeData, turns: Any) -> None:
        data.session_id = data.session_id or self._current_session_id or self.session_id
        try:
            if data.is_control_message():
                await self._handle_control_message(data)
                return
            consumed = await self._dispatch_aux_frame(data)
            if consumed:
                if consumed != 'stream':
                    await self._send_end_of_input()
            elif self._aux_port_of_data(data) == 'barge_in':
                await self._process_single_message(data)
            else:
                async with turns:
                    await self._process_single_message(data)
        except (SystemExit, KeyboardInterrupt) as error:
            # Carried to the loop's own task: out of a task of its own it would tear the event loop down.
            raise NodeExit(error) from error

    async def _receive_input(self) -> Optional[RuntimeData]:
        """The next input, or None when the node stops or no more can come."""
        if self._transport is None:
            await self._stop_event.wait()
            return None
        receiving = asyncio.ensure_future(self._transport.receive())
        stopping = asyncio.ensure_future(self._stop_event.wait())
        try:
            await asyncio.wait((receiving, stopping), return_when=asyncio.FIRST_COMPLETED)
            return receiving.result() if receiving.done() else None
        finally:
            receiving.cancel()
            stopping.cancel()

    async def _process_single_message(self, data: RuntimeData) -> None:
        """One turn: every output through `_send_output`, its failure counted and reported, its end always sent."""
        started = self._begin_turn(data)
        error: Optional[BaseException] = None
        try:
            async for output in outputs_of(self.process(data)):
                await self._send_output(output)
        except BaseException as raised:
            error = raised
            if not isinstance(raised, Exception) or self._is_critical_error(raised):
                raise
            self.logger.error('process() failed: %s: %s', type(raised).__name__, raised)
        finally:
            self._end_turn(started, error)
            if error is not None:
                self._report_error(error, 'process')
            await self._send_end_of_input()

    def _begin_turn(self, data: RuntimeData) -> float:
        if data.session_id:
            self._current_session_id = data.session_id
        self._turns_running += 1
        self.status = NodeStatus.PROCESSING
        return time.perf_counter()

    def _end_turn(self, started: float, error: Optional[BaseException]) -> None:
        self.processing_time_total += time.perf_counter() - started
        if error is None:
            self.messages_processed += 1
        elif isinstance(error, Exception):
            self.messages_failed += 1
        self._turns_running -= 1
        if not self._turns_running and self._status is NodeStatus.PROCESSING:
            self.status = NodeStatus.READY
