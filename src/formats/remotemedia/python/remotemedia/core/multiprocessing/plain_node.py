"""A registered class that is no `MultiprocessNode`, seen as one: it takes and gives plain values."""

from __future__ import annotations

from typing import Any, Optional

from ...rpc import collect_methods
from .coercion import plain_value
from .data import RuntimeData
from .node import MultiprocessNode, NodeConfig
from .results import settled


class PlainNode(MultiprocessNode):
    """Wraps an instance; its `initialize()` and `cleanup()` are optional and may be plain functions."""

    def __init__(self, wrapped: Any, config: NodeConfig) -> None:
        super().__init__(config)
        self.wrapped = wrapped
        self._rpc_methods = collect_methods(type(wrapped))

    @property
    def _rpc_target(self) -> Any:
        return self.wrapped

    async def initialize(self) -> None:
        await self._optional('initialize')

    def process(self, data: RuntimeData) -> Any:
        return self.wrapped.process(plain_value(data))

    async def cleanup(self) -> None:
        await self._optional('cleanup')

    async def _optional(self, name: str) -> Optional[Any]:
        method = getattr(self.wrapped, name, None)
        return await settled(method()) if callable(method) else None
