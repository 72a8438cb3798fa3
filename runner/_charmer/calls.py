"""What the runner remembers of a call."""

from __future__ import annotations

from .dialect import Failure
from .messages import RAW, STREAMING
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .client_stream import Inbox
    from .host import WireHost
    from .outflow import Outflow


class Cancelled(BaseException):
    """Raised in plugin code whose caller has given up. Not an Exception, so that handlers of errors let it pass."""


class Call:
    """One call from its frame to the frame that settles it."""

    # Most calls use none of these: defaults of the class cost nothing per call.
    raw = False
    streaming = False
    operation = ''
    options: dict[str, Any] = {}
    cancelled = False
    # Cancelled is raised at most once per call: plugin code that goes on after it means to.
    was_interrupted = False
    # The call that opens the plugin has one.
    opening: WireHost | None = None
    inbox: Inbox | None = None
    outflow: Outflow | None = None
    task: Any = None

    def __init__(self, identity: int, flags: int = 0) -> None:
        self.id = identity
        if flags:
            self.raw = bool(flags & RAW)
            self.streaming = bool(flags & STREAMING)

    def encode(self, value: Any, what: str) -> tuple[int, list[bytes]]:
        """Flags and the parts of the payload of a result or an item. Raises Failure RESULT_INVALID."""
        if not self.raw:
            return encode(value, what)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return RAW, [bytes(value)]
        kind = type(value).__name__
        raise Failure('RESULT_INVALID', f"Raw operation '{self.operation}' returned '{kind}', expected bytes")


class Waitable:
    """Something that a coroutine may wait for, one at a time."""

    # A future of the event loop.
    waiter: Any = None

    def wake(self) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
