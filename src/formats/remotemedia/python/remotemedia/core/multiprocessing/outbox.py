"""Hands frames from the tasks that make them to the one consumer of a call.

Invariants: a maker goes on only when the consumer has come back for the next frame, so a frame is on its way before the
author's code runs on, and nothing piles up. Once closed, makers go on at once and their frames are refused.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Optional


class Outbox:
    def __init__(self) -> None:
        self._waiting: deque[tuple[Any, Any]] = deque()
        self._taken: Any = None
        self._consumer: Any = None
        self.is_closed = False

    async def put(self, item: Any) -> bool:
        """Offers an item and waits until it was taken; False when nobody will."""
        if self.is_closed:
            return False
        passed = asyncio.get_running_loop().create_future()
        self._waiting.append((item, passed))
        self._wake()
        return bool(await passed)

    async def get(self) -> Optional[tuple[Any]]:
        """The next item in a tuple, or None when the outbox is closed and empty."""
        self._release(True)
        while not self._waiting:
            if self.is_closed:
                return None
            self._consumer = asyncio.get_running_loop().create_future()
            await self._consumer
        item, self._taken = self._waiting.popleft()
        return (item,)

    def finish(self, *_: Any) -> None:
        """No more items come; those that wait are still handed out."""
        self.is_closed = True
        self._wake()

    def abandon(self) -> None:
        """The consumer has gone."""
        self.is_closed = True
        self._release(False)
        while self._waiting:
            _settle(self._waiting.popleft()[1], False)

    def _release(self, was_taken: bool) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            _settle(taken, was_taken)

    def _wake(self) -> None:
        if self._consumer is not None:
            _settle(self._consumer, None)


def _settle(future: Any, value: Any) -> None:
    if not future.done():
        future.set_result(value)
