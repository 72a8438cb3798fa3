"""Exceptions of the package.

RemoteMediaError
├── PipelineError
├── NodeError
├── RemoteExecutionError
├── WebRTCError
├── SerializationError
└── ConfigurationError
"""

from __future__ import annotations

from typing import Optional


class RemoteMediaError(Exception):
    """Base of every exception of the package."""


class PipelineError(RemoteMediaError):
    """A pipeline cannot be built or run."""


class NodeError(RemoteMediaError):
    """A node cannot do its work."""


class RemoteExecutionError(RemoteMediaError):
    """Something failed on the other side; `remote_traceback` is its traceback as text."""

    def __init__(self, message: str, remote_traceback: Optional[str] = None) -> None:
        super().__init__(message)
        self.remote_traceback = remote_traceback


class WebRTCError(RemoteMediaError):
    """A media connection failed."""


class SerializationError(RemoteMediaError):
    """A value cannot be turned into bytes or back."""


class ConfigurationError(RemoteMediaError):
    """A setting is missing or wrong."""
