"""The core names; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pkgutil import extend_path
from typing import Any

__path__ = extend_path(__path__, __name__)

_EXCEPTIONS = (
    'ConfigurationError',
    'NodeError',
    'PipelineError',
    'RemoteExecutionError',
    'RemoteMediaError',
    'SerializationError',
    'WebRTCError',
)
_HOMES = {
    'Node': 'node',
    'RemoteExecutorConfig': 'node',
    'Pipeline': 'pipeline',
    **dict.fromkeys(_EXCEPTIONS, 'exceptions'),
    **dict.fromkeys(('MultiprocessNode', 'NodeConfig', 'NodeStatus'), 'multiprocessing.node'),
    **dict.fromkeys(('AudioMetadata', 'DataType', 'RuntimeData', 'VideoMetadata'), 'multiprocessing.data'),
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
