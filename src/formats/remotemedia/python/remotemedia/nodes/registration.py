"""`@streaming_node`: a class with facts about it, for catalogues of nodes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Callable, Optional

from ..core.multiprocessing.registry import _NODE_REGISTRY


@dataclass
class NodeRegistration:
    """What is known of a node type. `python_path` is `module.Class`."""

    node_type: str
    python_class: Any
    python_path: str
    multi_output: bool = False
    description: Optional[str] = None
    category: Optional[str] = None
    accepts: Optional[list[str]] = None
    produces: Optional[list[str]] = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the class itself, which is named."""
        cls = self.python_class
        self_without_class = NodeRegistration(**{**self.__dict__, 'python_class': None})
        return {**asdict(self_without_class), 'python_class': cls.__name__}


_registrations: dict[str, NodeRegistration] = {}


def streaming_node(
    node_type: Optional[str] = None,
    *,
    multi_output: bool = False,
    description: Optional[str] = None,
    category: Optional[str] = None,
    accepts: Optional[list[str]] = None,
    produces: Optional[list[str]] = None,
    **metadata: Any,
) -> Callable[[Any], Any]:
    """Class decorator. The name is also registered for running, unless a `register_node` class has it already."""

    def register(cls: Any) -> Any:
        name = node_type or cls.__name__
        path = f'{cls.__module__}.{cls.__qualname__}'
        about = description if description is not None else (cls.__doc__ or None)
        made = NodeRegistration(name, cls, path, multi_output, about, category, accepts, produces, metadata)
        _registrations[name] = cls._node_registration = made
        _NODE_REGISTRY.setdefault(name, cls)
        return cls

    return register


def get_registered_nodes() -> dict[str, NodeRegistration]:
    return dict(_registrations)


def get_node_registration(node_type: str) -> Optional[NodeRegistration]:
    return _registrations.get(node_type)


def clear_registry() -> None:
    _registrations.clear()


def export_to_json(path: Optional[str] = None) -> str:
    """All registrations as JSON, written to `path` too where one is given."""
    text = json.dumps([entry.to_dict() for entry in _registrations.values()], indent=2, default=str)
    if path is not None:
        Path(path).write_text(text, encoding='utf-8')
    return text


def discover_and_register() -> dict[str, NodeRegistration]:
    """Imports the foreign modules under `remotemedia.nodes`, so that their decorators run."""
    from . import __path__ as places

    for module in iter_modules(places):
        if module.name not in ('loader', 'registration'):
            import_module(f'{__package__}.{module.name}')
    return get_registered_nodes()
