"""`@rpc`: methods of a node that callers reach by name, beside the data (R70).

@rpc                 fire and forget: no reply, ever
@rpc(reply=True)     one value or an error
@rpc(stream=True)    an async generator: values, then an end or an error
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Callable, Optional

from .core.records import Record

META_PORT = '__rpc_meta__'
REPLY_PORT = '__reply__'
CANCEL_SUFFIX = '.__cancel__'


class RpcMode(Enum):
    FIRE_AND_FORGET = 'ff'
    REPLY = 'reply'
    STREAM = 'stream'


class RpcMethod(Record):
    """What the decorator leaves on a function as `__rpc_method__`; it cannot be changed.

    `default_timeout` is in seconds and only a note.
    """

    name: str
    mode: RpcMode
    func: Callable[..., Any]
    default_timeout: Optional[float]

    def __init__(
        self, name: str, mode: RpcMode, func: Callable[..., Any], default_timeout: Optional[float] = None
    ) -> None:
        self.__dict__.update(name=name, mode=mode, func=func, default_timeout=default_timeout)

    def __hash__(self) -> int:
        return hash((self.name, self.mode, self.func, self.default_timeout))

    def __setattr__(self, name: str, value: Any) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field '{name}'")


def rpc(
    func: Optional[Callable[..., Any]] = None,
    *,
    reply: bool = False,
    stream: bool = False,
    timeout: Optional[float] = None,
) -> Any:
    """Marks a method and returns it unchanged, so that ordinary calls and inheritance go on working."""
    if reply and stream:
        raise ValueError('reply and stream are mutually exclusive')
    mode = RpcMode.STREAM if stream else RpcMode.REPLY if reply else RpcMode.FIRE_AND_FORGET

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        if name == REPLY_PORT:
            raise ValueError(f"'{REPLY_PORT}' is reserved, an rpc method cannot have this name")
        function.__rpc_method__ = RpcMethod(name, mode, function, timeout)  # type: ignore[attr-defined]
        return function

    return mark if func is None else mark(func)


def collect_methods(cls: type) -> dict[str, RpcMethod]:
    """The rpc methods of a class and of everything it inherits from; the most derived declaration counts (RW25)."""
    found: dict[str, RpcMethod] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            method = getattr(value, '__rpc_method__', None)
            if isinstance(method, RpcMethod):
                found[name] = method
    return found
