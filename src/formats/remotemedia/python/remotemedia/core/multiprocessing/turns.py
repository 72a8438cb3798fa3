"""One call from the host and one data turn: where outputs go, who is waiting, how it is stopped."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from typing import Any, Callable, Optional

from .outbox import Outbox
from .results import outputs_of


class NodeEnded(Exception):
    """The node runs no more."""


class CallScope:
    """One call from the host: where its outputs go, and the tasks that answer it."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.streams: list[Any] = []
        self.error: Optional[BaseException] = None


CLOSED_SCOPE = CallScope()
CLOSED_SCOPE.outbox.finish()
current_scope: ContextVar[Optional[CallScope]] = ContextVar('remotemedia_call', default=None)


class Turn:
    """The data turn that runs now. Parked means: it waits for its consumer, no code of the author's runs."""

    def __init__(self, outputs: Any, finish: Callable[[], None]) -> None:
        self.outputs = outputs
        self.task = asyncio.current_task()
        self.is_parked = False
        self.is_cancelled = False
        self.ended = asyncio.get_running_loop().create_future()
        self._finish = finish

    async def cancel(self) -> None:
        self.is_cancelled = True
        if self.is_parked:
            # Its consumer may never come back, so it is ended from here.
            await close_quietly(self.outputs)
            self.finish()
        elif self.task is not None:
            self.task.cancel()

    def finish(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
            self._finish()


class AuthorError(Exception):
    """What the author's code raised, whatever it was, as `cause`."""

    def __init__(self, cause: BaseException, phase: str = 'process') -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.phase = phase


class TurnOutputs:
    """The outputs of a turn before and after its result is known, closable either way."""

    def __init__(self) -> None:
        self.frames: Any = None

    def of(self, result: Any) -> None:
        self.frames = outputs_of(result)

    async def aclose(self) -> None:
        if self.frames is not None:
            await self.frames.aclose()


async def close_quietly(outputs: Any) -> None:
    if outputs is not None:
        try:
            await outputs.aclose()
        except RuntimeError:
            # A generator that yields once more while it is being closed has had its chance.
            pass


def take_back_cancel(task: Any) -> None:
    if sys.version_info >= (3, 11) and task is not None:
        task.uncancel()


def is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return sys.version_info >= (3, 11) and task is not None and task.cancelling() > 0
