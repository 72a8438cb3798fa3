"""`MultiprocessNode`: the base class of nodes that run in a process of their own.

Its private members are part of what authors' tests call and replace, so every frame goes through them: inputs through
`_process_single_message`, outputs (rpc replies too) through `_send_output`, ends through `_send_end_of_input`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from abc import abstractmethod
from typing import Any, Optional, Union

from ..node import Node
from .data import RuntimeData
from .node_config import NodeConfig, NodeStatus
from .node_loop import NodeExit, NodeLoop
from .results import outputs_of, settled

__all__ = [
    'HAS_RUNTIME_DATA',
    'MultiprocessNode',
    'NodeConfig',
    'NodeExit',
    'NodeStatus',
    'setup_signal_handlers',
]

HAS_RUNTIME_DATA = True
LOG_FORMAT = '%(asctime)s - %(name)s - %(levelname)s - %(message)s'


class _EventAtFirstUse:
    """An asyncio event per node, made when it is looked at: in Python 3.9 it belongs to the loop of that moment."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        event = instance.__dict__[self._name] = asyncio.Event()
        return event


class MultiprocessNode(NodeLoop, Node):
    """Subclass it and write `initialize()`, `process()` and `cleanup()`. `self.config` holds the manifest's params."""

    _stop_event: Any = _EventAtFirstUse()
    _init_complete: Any = _EventAtFirstUse()

    def __init__(self, config: Union[NodeConfig, dict[str, Any]], **kwargs: Any) -> None:
        given = config if isinstance(config, NodeConfig) else dict(config or {})
        node_id = given.get('node_id') or kwargs.pop('node_id', None) or 'unknown'
        kwargs.pop('node_id', None)
        name = kwargs.pop('name', None) or node_id
        super().__init__(name=name, **kwargs)
        self._set_up(
            NodeConfig(
                node_id,
                given.get('node_type') or type(self).__name__,
                {} if given.get('params') is None else given['params'],
                given.get('session_id'),
                given.get('log_level') or 'INFO',
            )
        )

    def _set_up(self, config: NodeConfig) -> None:
        self.node_id = config.node_id
        self.node_type = config.node_type
        self.config = config.params
        self.session_id = config.session_id or f'default_{config.node_id}'
        self._status = NodeStatus.IDLE
        self.logger = logging.getLogger(f'node.{config.node_type}.{config.node_id}')
        self.input_channels: dict[str, Any] = {}
        self.output_channels: dict[str, Any] = {}
        self.messages_processed = 0
        self.messages_failed = 0
        self.processing_time_total = 0.0
        self._control_publisher: Any = None
        self._transport: Any = None
        self._inflight_streams: dict[Any, Any] = {}
        self._turns_running = 0

    def _complete(self, config: NodeConfig) -> None:
        """Fills in what a constructor left out: everything, or the params and the session that it did not pass on."""
        if '_turns_running' not in self.__dict__:
            node_id = self.__dict__.get('node_id')
            Node.__init__(self, name=node_id or config.node_id)
            self._set_up(config)
            if node_id:
                self.node_id = node_id
            return
        if not self.config and config.params:
            self.config = config.params
        if config.session_id and self.session_id == f'default_{self.node_id}':
            self.session_id = config.session_id

    # -- what authors write -------------------------------------------------------------------------------------------

    @abstractmethod
    async def initialize(self) -> None:
        """Loads what `process()` needs. Called once, before the node is ready."""

    @abstractmethod
    async def process(self, data: RuntimeData) -> Any:
        """One input: returns an output or None, or yields outputs."""

    @abstractmethod
    async def cleanup(self) -> None:
        """Lets go of everything. Called always, after errors too."""

    # -- what authors call --------------------------------------------------------------------------------------------

    @property
    def status(self) -> NodeStatus:
        return self._status

    @status.setter
    def status(self, value: NodeStatus) -> None:
        if value is not self._status:
            self.logger.debug('Status %s -> %s', self._status.value, value.value)
            self._status = value

    def publish_progress(self, status: str, message: str) -> None:
        """Tells the host how far this node is. Without a host, or with values that are no JSON, nothing happens."""
        self._publish_control('PROGRESS', {'status': status, 'message': message})

    def publish_to_node_port(self, target_node: str, port: str, payload: Any) -> None:
        """Sends a payload to an aux port of another node of the session; as forgiving as `publish_progress()`."""
        if target_node and port:
            self._publish_control('PUBLISH', {'target': target_node, 'port': port, 'payload': payload})

    def _publish_control(self, kind: str, fields: Any) -> None:
        publisher = self._control_publisher
        if publisher is None:
            return
        try:
            json.dumps(fields)
            publisher.control(kind, fields)
        except Exception:
            self.logger.debug('%s message dropped', kind, exc_info=True)

    def process_sync(self, data: Any) -> Any:
        """Runs one input to its end on a loop of its own; several outputs come as a list."""
        if isinstance(data, dict):
            data = RuntimeData.json(data)
        elif not isinstance(data, RuntimeData):
            data = RuntimeData.text(str(data))

        async def collect() -> list[RuntimeData]:
            return [output async for output in outputs_of(self.process(data))]

        outputs = asyncio.run(collect())
        return None if not outputs else outputs[0] if len(outputs) == 1 else outputs

    async def run(self) -> None:
        """initialize → loop → cleanup, without telling that it is ready."""
        try:
            await self._initialize_once()
            await self._process_loop_only()
        finally:
            await self._cleanup_once()

    async def stop(self) -> None:
        """Ends the node after the running turn."""
        self._stop_event.set()

    async def wait_ready(self, timeout: Optional[float] = None) -> bool:
        """Waits until `initialize()` is done, `timeout` seconds at most."""
        try:
            await asyncio.wait_for(self._init_complete.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    def get_stats(self) -> dict[str, Any]:
        turns = self.messages_processed
        return {
            'node_id': self.node_id,
            'node_type': self.node_type,
            'status': self.status.value,
            'messages_processed': turns,
            'messages_failed': self.messages_failed,
            'average_processing_time': self.processing_time_total / turns if turns else 0.0,
            'total_processing_time': self.processing_time_total,
        }

    def _is_critical_error(self, exc: BaseException) -> bool:
        """True for what a node does not survive."""
        return isinstance(exc, (MemoryError, SystemError))

    def _setup_logging(self, level: str) -> None:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(LOG_FORMAT))
        self.logger.addHandler(handler)
        self.logger.setLevel(level)

    # -- the way out --------------------------------------------------------------------------------------------------

    async def _send_output(self, data: Any) -> None:
        if self._transport is None:
            self.logger.warning('An output was dropped: this node is not attached to a host')
            return
        await self._transport.send(data, self._current_session_id or self.session_id)

    async def _send_end_of_input(self) -> None:
        if self._transport is not None:
            await self._transport.send_end(self._current_session_id or self.session_id)

    async def _publish_ready_signal(self) -> None:
        if self._control_publisher is not None:
            self._control_publisher.control('READY', None)

    async def _handle_control_message(self, data: RuntimeData) -> None:
        hook = getattr(self._rpc_target, 'process_control_message', None)
        if hook is None:
            return
        try:
            await settled(hook(data))
        except Exception as error:
            self.logger.exception('process_control_message() failed')
            self._report_error(error, 'control')

    def _report_error(self, error: BaseException, phase: str, **facts: Any) -> None:
        if self._transport is not None:
            self._transport.error(error, phase, **facts)

    def _stream_started(self, task: Any) -> None:
        if self._transport is not None:
            self._transport.stream_started(task)


def setup_signal_handlers(node: MultiprocessNode, loop: Any = None) -> None:
    """SIGINT and SIGTERM stop the node after its running turn."""
    import signal

    loop = loop or asyncio.get_event_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, node._stop_event.set)
