"""Registration of nodes outside of `register_node`. Foreign node modules may live elsewhere on the path."""

from __future__ import annotations

from importlib import import_module
from pkgutil import extend_path
from typing import Any

__path__ = extend_path(__path__, __name__)

_REGISTRATION = (
    'NodeRegistration',
    'clear_registry',
    'discover_and_register',
    'export_to_json',
    'get_node_registration',
    'get_registered_nodes',
    'streaming_node',
)
_LOADER = (
    'clear_loaded_nodes',
    'get_loaded_nodes',
    'get_node_class',
    'register_node_class',
    'register_python_node',
    'register_python_nodes_from_config',
)
_HOMES = {**dict.fromkeys(_REGISTRATION, 'registration'), **dict.fromkeys(_LOADER, 'loader')}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
