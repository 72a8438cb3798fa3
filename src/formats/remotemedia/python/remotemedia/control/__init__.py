"""The control bus as Python programs see it: its values, its errors and its addresses."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .data import Data
from .errors import ControlAddressError, RpcError, RpcTimeoutError, SessionNotFoundError, UnknownNodeError

__all__ = [
    'ControlAddressError',
    'Data',
    'RpcError',
    'RpcTimeoutError',
    'SessionNotFoundError',
    'UnknownNodeError',
    'attach_inproc',
]

# What needs a host is imported when it is asked for: a node that uses the values above drives no pipeline.
_CLIENT = ('AttachedSession', 'NodeState')


def attach_inproc(session: Any, attach_id: str = 'python-inproc') -> Any:
    """A client of the control bus of a streaming session; SessionNotFoundError when it is closed."""
    return session.control(attach_id)


def __getattr__(name: str) -> Any:
    if name in _CLIENT:
        return getattr(import_module('remotemedia.runtime.control'), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
