"""A named queue between two nodes of one process: what is left of the original's shared-memory channels."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Optional


@dataclass
class ChannelConfig:
    """`capacity` counts frames; a full channel makes its publisher wait, nothing is dropped."""

    name: str
    capacity: int = 100


class Channel:
    """One publisher side, one subscriber side, both in this process."""

    def __init__(self, name: str, capacity: int = 100) -> None:
        self.config = ChannelConfig(name, capacity)
        self._queue: Any = None

    @property
    def name(self) -> str:
        return self.config.name

    async def publish(self, data: Any) -> None:
        await self._frames().put(data)

    async def receive(self, timeout: Optional[float] = None) -> Any:
        """The next frame, or None after `timeout` seconds."""
        try:
            return await asyncio.wait_for(self._frames().get(), timeout)
        except asyncio.TimeoutError:
            return None

    def _frames(self) -> Any:
        # Made on the loop that uses it: before Python 3.10 a queue belongs to the loop it was made on.
        if self._queue is None:
            self._queue = asyncio.Queue(self.config.capacity)
        return self._queue
