"""Which functions were decorated, by module and name. Hosts look methods up by attribute and do not need it."""

from __future__ import annotations

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, TypeVar

    Function = TypeVar('Function', bound=Callable[..., Any])

_methods: dict[tuple[str, str], Callable[..., Any]] = {}


def method(func: Function) -> Function:
    """Records ``func`` as a method of its module and gives it back unchanged.

    Raises ValueError for a second method of the same name in one module.
    """
    key = (func.__module__, func.__name__)
    if key in _methods:
        raise ValueError(f'method {key[1]!r} is already registered in module {key[0]!r}')
    _methods[key] = func
    return func


def get_method(name: str, module: str | None = None) -> Callable[..., Any]:
    """The method of that name; without a module the name must be unique. Raises KeyError otherwise."""
    if module is not None:
        return _methods[(module, name)]
    homes = sorted(home for home, registered in _methods if registered == name)
    if not homes:
        raise KeyError(f'no method {name!r} is registered')
    if len(homes) > 1:
        raise KeyError(f'method {name!r} is registered in several modules: {", ".join(homes)}')
    return _methods[(homes[0], name)]


def list_methods(module: str | None = None) -> list[str]:
    """Names of the methods of one module, or of all, sorted and without repeats."""
    return sorted({name for home, name in _methods if module is None or home == module})


def reset_registry() -> None:
    """Forgets every method: for tests that import a module again."""
    _methods.clear()
