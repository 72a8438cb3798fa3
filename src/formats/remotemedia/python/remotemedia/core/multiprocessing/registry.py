"""Node types by name. There are no built-ins: what a plugin registers is all there is, and always wins (R75, R76)."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

Class = TypeVar('Class', bound=type)

# Private by name, yet plugins write aliases into it: it must be the dict that the lookup uses.
_NODE_REGISTRY: dict[str, type] = {}


def register_node(node_type: str) -> Callable[[Class], Class]:
    """Class decorator: makes a class known as `node_type`."""

    def register(cls: Class) -> Class:
        _NODE_REGISTRY[node_type] = cls
        cls._node_type = node_type  # type: ignore[attr-defined]
        return cls

    return register


def python_requires(deps: list[str]) -> Callable[[Class], Class]:
    """Class decorator: the packages that the node needs, as PEP 508 lines."""

    def note(cls: Class) -> Class:
        cls.__python_requires__ = list(deps)  # type: ignore[attr-defined]
        return cls

    return note


def get_node_class(node_type: str) -> Any:
    """The class registered as `node_type`; KeyError names those that are."""
    try:
        return _NODE_REGISTRY[node_type]
    except KeyError:
        raise KeyError(f"Node type '{node_type}' not registered. Available: {sorted(_NODE_REGISTRY)}") from None


def list_registered_nodes() -> list[str]:
    return list(_NODE_REGISTRY)


def get_node_requirements(node_type: str) -> list[str]:
    """What the class asks for: its decorator's lines, then those of its file's inline metadata, without repeats."""
    cls = _NODE_REGISTRY.get(node_type)
    if cls is None:
        return []
    from .inline_metadata import read_dependencies

    found = list(getattr(cls, '__python_requires__', []))
    return found + [line for line in read_dependencies(cls) if line not in found]
