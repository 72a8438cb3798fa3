"""RemoteMedia's author surface, as Charmer serves it: standard library only, NumPy on first need.

Names are looked up when they are asked for, so that importing the package, or a part of it, imports nothing else.
Parts that are not here may live elsewhere on the path: `remotemedia.__path__` is extended.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import extend_path
from typing import Any

__path__ = extend_path(__path__, __name__)
__version__ = '0.2.0'

_EXCEPTIONS = (
    'ConfigurationError',
    'NodeError',
    'PipelineError',
    'RemoteExecutionError',
    'RemoteMediaError',
    'SerializationError',
    'WebRTCError',
)
_LOADER = ('get_loaded_nodes', 'register_node_class', 'register_python_node', 'register_python_nodes_from_config')
_NATIVE = (
    'execute_pipeline',
    'execute_pipeline_with_input',
    'get_rust_runtime',
    'is_rust_runtime_available',
    'try_load_rust_runtime',
)
_HOMES = {
    'Node': 'core.node',
    'Pipeline': 'core.pipeline',
    'RemoteExecutorConfig': 'core.node',
    **dict.fromkeys(_EXCEPTIONS, 'core.exceptions'),
    **dict.fromkeys(_LOADER, 'nodes.loader'),
    **dict.fromkeys(_NATIVE, '_native'),
}
__all__ = [*sorted(_HOMES), '__version__', 'runtime']


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
    if name == 'runtime':
        native = import_module(f'{__name__}._native')
        return native.runtime_module()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
