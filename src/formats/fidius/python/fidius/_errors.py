"""The error whose code, message and details reach the host as they are."""

from __future__ import annotations

from typing import Any, Dict, Optional


class PluginError(Exception):
    """Says no to the caller: a code to act on, a message to read, and details that JSON can hold."""

    code: str
    message: str
    details: Optional[Dict[str, Any]]

    def __init__(self, code: str, message: str, details: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
