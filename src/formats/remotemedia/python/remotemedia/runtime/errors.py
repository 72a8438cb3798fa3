"""Errors of the runtime module.

RuntimeError
├── HostUnavailableError        no Charmer host can be started here: the message says why and what to do
└── HostError                   the host refused or failed; code, hint, traceback and more as attributes
    ├── TurnError               a node failed on one input: node and input_number say which
    ├── ManifestError           the manifest cannot be read; a ValueError too, as in the original
    └── InvalidValueError       a value that cannot be sent; a ValueError too
"""

from __future__ import annotations

from typing import Any, Optional

from ..control.errors import ControlAddressError, RpcError, RpcTimeoutError, SessionNotFoundError, UnknownNodeError

# How the original begins these two messages.
MANIFEST_PREFIX = 'Failed to parse manifest:'
SESSION_PREFIX = 'create_session failed:'


class HostUnavailableError(RuntimeError):
    """There is no host: Node is not there or too old, Charmer is not installed, or it does not start."""


class HostError(RuntimeError):
    """What the host says about a failure. `str()` is its message; `traceback` is the plugin's own."""

    def __init__(self, message: str, facts: Optional[dict[str, Any]] = None) -> None:
        super().__init__(message)
        self.facts = dict(facts or {})
        self.code: str = self.facts.get('code') or 'UNKNOWN'
        self.hint: Optional[str] = self.facts.get('hint')
        self.traceback: Optional[str] = self.facts.get('traceback')
        self.plugin: Optional[str] = self.facts.get('plugin')
        # Name of the Python exception that the plugin raised.
        self.exception_type: Optional[str] = self.facts.get('pluginCode')


class TurnError(HostError):
    """A node failed on one input; the session goes on. `outputs` is what did come out, where all was asked for."""

    def __init__(self, node: str, input_number: int, facts: dict[str, Any]) -> None:
        where = f"Node '{node}' failed on input {input_number}" if input_number else f"Node '{node}' failed"
        super().__init__(f'{where}: {facts.get("message", "")}', facts)
        self.node = node
        self.input_number = input_number
        self.outputs: list[Any] = []

    def __str__(self) -> str:
        text = super().__str__()
        return f'{text}\n\n{self.traceback.rstrip()}' if self.traceback else text


class ManifestError(HostError, ValueError):
    """The manifest is no JSON, or no pipeline."""


class InvalidValueError(HostError, ValueError):
    """A value that no pipeline takes."""


_CONTROL_ERRORS = {
    'ControlAddressError': ControlAddressError,
    'RpcError': RpcError,
    'RpcTimeoutError': RpcTimeoutError,
    'SessionNotFoundError': SessionNotFoundError,
}


def error_from(facts: dict[str, Any]) -> Exception:
    """The exception for a failure of a request."""
    message = str(facts.get('message', ''))
    if facts.get('code') == 'ARGUMENT_INVALID' or facts.get('name') in ('TypeError', 'RangeError'):
        return InvalidValueError(message, facts)
    return HostError(message, facts)


def session_error_from(facts: dict[str, Any]) -> Exception:
    """The exception for a session that did not start, worded as in the original."""
    message = str(facts.get('message', ''))
    if message.startswith(MANIFEST_PREFIX):
        return ManifestError(message, facts)
    hint = facts.get('hint')
    tail = facts.get('traceback') or '\n'.join(facts.get('stderrTail') or [])
    parts = [f'{SESSION_PREFIX} {message}', hint or '', f'\n{tail.rstrip()}' if tail else '']
    return HostError('\n'.join(part for part in parts if part), facts)


def control_error_from(facts: dict[str, Any]) -> Exception:
    """The exception for a failure on the control bus, with the names that control clients know."""
    message = str(facts.get('message', ''))
    kind = _CONTROL_ERRORS.get(str(facts.get('name')))
    if kind is None and facts.get('code') == 'NODE_UNKNOWN':
        kind = UnknownNodeError
    if kind is None:
        return error_from(facts)
    error = kind(message)
    for name in ('code', 'hint', 'traceback'):
        setattr(error, name, facts.get(name))
    return error
