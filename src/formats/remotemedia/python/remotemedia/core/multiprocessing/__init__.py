"""What plugin authors import: the base class, its data, and the registry.

The registry and the decorators are here at once; everything else is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .data import AudioMetadata, DataType, RuntimeData, VideoMetadata
from .node import MultiprocessNode, NodeConfig, NodeStatus
from .registry import (
    _NODE_REGISTRY,
    get_node_class,
    get_node_requirements,
    list_registered_nodes,
    python_requires,
    register_node,
)

_HOMES = {
    'AudioPressureMixin': 'audio_pressure',
    'InitProgress': 'session',
    'InitStatus': 'session',
    'Pipeline': 'pipeline',
    'SessionStatus': 'session',
}
__all__ = [
    '_NODE_REGISTRY',
    'AudioMetadata',
    'AudioPressureMixin',
    'DataType',
    'InitProgress',
    'InitStatus',
    'MultiprocessNode',
    'NodeConfig',
    'NodeStatus',
    'Pipeline',
    'RuntimeData',
    'SessionStatus',
    'VideoMetadata',
    'get_node_class',
    'get_node_requirements',
    'list_registered_nodes',
    'python_requires',
    'register_node',
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
