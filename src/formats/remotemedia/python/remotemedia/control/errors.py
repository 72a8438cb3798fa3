"""Errors of the control bus.

RuntimeError
├── SessionNotFoundError
├── UnknownNodeError
└── RpcError
    └── RpcTimeoutError
ValueError
└── ControlAddressError
"""

from __future__ import annotations


class SessionNotFoundError(RuntimeError):
    """There is no such session, or it is closed."""


class UnknownNodeError(RuntimeError):
    """The session has no such node."""


class ControlAddressError(ValueError):
    """An address that cannot be used so: `node.in[.port]` to publish, `node.out[.port]` to subscribe."""


class RpcError(RuntimeError):
    """The node answered a call with an error, or could not be called that way."""


class RpcTimeoutError(RpcError):
    """No answer came in time."""
