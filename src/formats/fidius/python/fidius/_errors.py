"""The error whose code, message and details reach the host as they are."""

from __future__ import annotations

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PluginError(Exception):
    """Says no to the caller: a code to act on, a message to read, and details that JSON can hold."""

    code: str
    message: str
    details: dict[str, Any] | None

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
