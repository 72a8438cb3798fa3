"""The control bus as Python programs see it: its values, its errors and its addresses."""

from __future__ import annotations

from .data import Data
from .errors import ControlAddressError, RpcError, RpcTimeoutError, SessionNotFoundError, UnknownNodeError

__all__ = [
    'ControlAddressError',
    'Data',
    'RpcError',
    'RpcTimeoutError',
    'SessionNotFoundError',
    'UnknownNodeError',
]
