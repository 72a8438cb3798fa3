"""The contract between the runner and a format's Python half: what a `dialect.py` defines and what it is handed.

A `dialect.py` is one file, named by its absolute path when the runner is opened. It defines `create() -> Dialect`. It
may import this module and `_charmer.values`, and nothing else of the runner.
"""

from __future__ import annotations

# `typing` costs 7 ms at start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol
else:
    Protocol = object


class Failure(Exception):
    """A failure as the host shall see it.

    `code` is one of the host's error codes. `PLUGIN_RAISED` takes `plugin_code` (the plugin's own code, or the class
    name) and `details` (any JSON value). `fields` are further evidence, by the names of the host's error fields.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        plugin_code: str | None = None,
        details: Any = None,
        traceback: str | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.plugin_code = plugin_code
        self.details = details
        self.traceback = traceback
        self.fields = fields


class HostError(RuntimeError):
    """The host's side failed: a producer of a client stream raised, or a question was refused."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class Host(Protocol):
    """What a dialect may ask of the host. Every method may be called from any thread."""

    def event(self, type: str, **fields: Any) -> None:
        """Sends an event at once. It belongs to the call that is running, if one is."""

    def ask(self, question: Any) -> Any:
        """Asks the host and waits for its answer, serving other calls meanwhile. Raises HostError."""

    async def ask_async(self, question: Any) -> Any:
        """The same for coroutines."""

    def warn(self, text: str) -> None:
        """While opening: a line of `opened.warnings`. Later: an event of type `warning`."""

    def fact(self, name: str, value: Any) -> None:
        """While opening: an entry of `opened.facts`, any JSON value."""


class Call(Protocol):
    """One call, as its dialect sees it."""

    id: int
    raw: bool
    streaming: bool
    options: dict[str, Any]

    # True once the caller has given up. `Cancelled` is raised in the running code as well, where it can be.
    cancelled: bool


class Dialect(Protocol):
    """The Python half of a format. The runner drives it and knows nothing else of the format."""

    # True: everything runs on one asyncio loop, which goes on between calls, and calls run as concurrent tasks.
    uses_event_loop: bool

    def open(self, opening: dict[str, Any], host: Host) -> list[dict[str, Any]]:
        """Imports the plugin and returns its operations. May be a coroutine.

        An operation is `{'name', 'kind', 'wireMode'}` and, where known, `isAvailable`, `description`, `parameters`.
        Exceptions other than Failure become IMPORT_FAILED with their traceback, unless `describe` knows better.
        """

    def call(self, operation: str, arguments: list[Any], call: Call) -> Any:
        """Runs an operation: a value, an iterator, a coroutine or an async iterator.

        When `call.streaming` is true the result must be iterable, and is pulled as the caller wants items. When
        `call.raw` is true `arguments` is `[bytes]` and results and items must be bytes. A client stream stands at its
        place among the arguments as an object for `for`, `next()` and `async for`.
        """

    def describe(self, error: BaseException) -> Failure | None:
        """Optional. What a plugin's exception means to this format; None: the runner's own account."""

    def close(self) -> Any:
        """Called once, when the conversation ends. May be a coroutine. Bounded by the runner."""
