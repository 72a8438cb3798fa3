"""Registers nodes from files, classes and lists of them in a configuration."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isclass
from pathlib import Path
from typing import Any, Optional

from ..core.multiprocessing.node import MultiprocessNode
from ..core.multiprocessing.registry import _NODE_REGISTRY, get_node_class
from ..core.node import Node
from .registration import NodeRegistration

__all__ = [
    'clear_loaded_nodes',
    'get_loaded_nodes',
    'get_node_class',
    'register_node_class',
    'register_python_node',
    'register_python_nodes_from_config',
]

_loaded: dict[str, NodeRegistration] = {}


def register_python_node(
    path: str,
    *,
    node_type: Optional[str] = None,
    node_class: Optional[str] = None,
    multi_output: bool = False,
    category: Optional[str] = None,
    description: Optional[str] = None,
    accepts: Optional[list[str]] = None,
    produces: Optional[list[str]] = None,
) -> Any:
    """Imports a file and registers its MultiprocessNode classes; one registration, or a list when there are several.

    `node_type` names the class where there is exactly one; `node_class` picks one. ValueError when none is found.
    """
    module = _import_file(Path(path))
    classes = [
        value
        for value in vars(module).values()
        if isclass(value) and issubclass(value, MultiprocessNode) and value.__module__ == module.__name__
    ]
    if node_class is not None:
        classes = [cls for cls in classes if cls.__name__ == node_class]
    if not classes:
        wanted = f"class '{node_class}'" if node_class else 'subclass of MultiprocessNode'
        raise ValueError(f"File '{path}' has no {wanted}")
    if node_type is not None and len(classes) > 1:
        raise ValueError(f"File '{path}' has {len(classes)} nodes, say with node_class which of them is '{node_type}'")
    facts = (multi_output, description, category, accepts, produces)
    made = [_register(cls, node_type, facts) for cls in classes]
    return made[0] if len(made) == 1 else made


def register_node_class(
    cls: Any,
    *,
    node_type: Optional[str] = None,
    multi_output: bool = False,
    category: Optional[str] = None,
    description: Optional[str] = None,
    accepts: Optional[list[str]] = None,
    produces: Optional[list[str]] = None,
    inline: Optional[bool] = None,
) -> NodeRegistration:
    """Registers a class. TypeError unless it is a Node, or with `inline=False` a MultiprocessNode."""
    wanted = MultiprocessNode if inline is False else Node
    if not isclass(cls) or not issubclass(cls, wanted):
        raise TypeError(f'Expected a subclass of {wanted.__name__}, not {cls!r}')
    return _register(cls, node_type, (multi_output, description, category, accepts, produces))


def get_loaded_nodes() -> dict[str, NodeRegistration]:
    return dict(_loaded)


def clear_loaded_nodes() -> None:
    for name in _loaded:
        _NODE_REGISTRY.pop(name, None)
    _loaded.clear()


def register_python_nodes_from_config(path: str) -> list[Any]:
    """Registers what the key `python_nodes` of a JSON or YAML file lists: paths, or objects with `path` and options."""
    file = Path(path)
    text = file.read_text(encoding='utf-8')
    entries = (_parse_yaml(text) if file.suffix in ('.yml', '.yaml') else json.loads(text)).get('python_nodes') or []
    registered: list[Any] = []
    for entry in entries:
        options = {'path': entry} if isinstance(entry, str) else dict(entry)
        target = file.parent / options.pop('path')
        registered.append(register_python_node(str(target), **options))
    return registered


def _register(cls: Any, node_type: Optional[str], facts: tuple[Any, ...]) -> NodeRegistration:
    name = node_type or getattr(cls, '_node_type', None) or cls.__name__
    multi_output, description, category, accepts, produces = facts
    made = NodeRegistration(
        name, cls, f'{cls.__module__}.{cls.__qualname__}', multi_output, description, category, accepts, produces
    )
    _loaded[name] = made
    _NODE_REGISTRY[name] = cls
    return made


def _import_file(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}'")
    # A name of its own: files of one name in two folders are two modules.
    name = f'remotemedia_node_{path.stem}_{abs(hash(str(path.resolve()))):x}'
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _parse_yaml(text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError('Reading a YAML configuration needs the package PyYAML, or write it as JSON') from error
    return yaml.safe_load(text) or {}
