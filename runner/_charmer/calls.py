"""What the runner remembers of a call."""

from __future__ import annotations

from .messages import RAW, STREAMING

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
