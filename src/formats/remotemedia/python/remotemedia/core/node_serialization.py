"""Nodes as bytes, for authors who send them elsewhere. Needs cloudpickle; unpickling runs code."""

from __future__ import annotations

from typing import Any, Optional

from .exceptions import SerializationError as _Base
from .node import Node

MAX_BYTES = 100 * 1024 * 1024


class SerializationError(_Base):
    """A node that cannot be serialised, why, and what may help."""

    def __init__(self, node_name: str, reason: str, suggestion: Optional[str] = None) -> None:
        text = f"Node '{node_name}' cannot be serialised: {reason}"
        super().__init__(f'{text}. {suggestion}' if suggestion else text)
        self.node_name = node_name
        self.reason = reason
        self.suggestion = suggestion


def serialize_node_for_ipc(node: Any) -> bytes:
    """Bytes of a node, after its `cleanup()`; TypeError unless it is a Node."""
    if not isinstance(node, Node):
        raise TypeError(f'Expected a Node, not {type(node).__name__}')
    try:
        node.cleanup()
    except Exception as error:
        node.logger.debug('cleanup() before serialising failed: %s', error)
    cloudpickle = _cloudpickle()
    try:
        data: bytes = cloudpickle.dumps(node)
    except Exception as error:
        name = _culprit(node, cloudpickle)
        where = f"attribute '{name}': {error}" if name else str(error)
        raise SerializationError(
            node.name, where, 'Make such things in initialize() and drop them in cleanup()'
        ) from error
    if len(data) > MAX_BYTES:
        raise SerializationError(
            node.name, f'it has {len(data)} bytes, more than {MAX_BYTES}', 'Load large data in initialize()'
        )
    return data


def deserialize_node_from_ipc(data: bytes) -> Node:
    """The node in the bytes, initialised; RuntimeError when that fails."""
    try:
        node = _cloudpickle().loads(data)
    except Exception as error:
        raise RuntimeError(f'The bytes hold no node that can be read: {error}') from error
    try:
        node.initialize()
    except Exception as error:
        raise RuntimeError(f"Node '{node.name}' could not be initialised: {error}") from error
    return node  # type: ignore[no-any-return]


def validate_node_serializable(node: Any) -> bool:
    """True, or the error of `serialize_node_for_ipc`."""
    serialize_node_for_ipc(node)
    return True


def _culprit(node: Node, cloudpickle: Any) -> Optional[str]:
    for name, value in node.__getstate__().items():
        try:
            cloudpickle.dumps(value)
        except Exception:
            return name
    return None


def _cloudpickle() -> Any:
    try:
        import cloudpickle  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ImportError('Serialising nodes needs the package cloudpickle') from error
    return cloudpickle
