"""What a node is told about itself, and the states it goes through."""

from __future__ import annotations

from enum import Enum
from typing import Any, Iterator, Optional

from ..records import Record


class NodeStatus(Enum):
    IDLE = 'idle'
    INITIALIZING = 'initializing'
    READY = 'ready'
    PROCESSING = 'processing'
    ERROR = 'error'
    STOPPING = 'stopping'
    STOPPED = 'stopped'


class NodeConfig(Record):
    """What a node is told about itself. Reads like the dict of the same keys too: `config['params']`."""

    def __init__(
        self,
        node_id: str,
        node_type: str,
        params: Optional[dict[str, Any]] = None,
        session_id: Optional[str] = None,
        log_level: str = 'INFO',
    ) -> None:
        self.node_id = node_id
        self.node_type = node_type
        self.params: dict[str, Any] = {} if params is None else params
        self.session_id = session_id
        self.log_level = log_level

    def keys(self) -> Iterator[str]:
        return iter(('node_id', 'node_type', 'params', 'session_id', 'log_level'))

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return 5

    def __contains__(self, key: object) -> bool:
        return key in tuple(self.keys())

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return getattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        return getattr(self, key) if key in self else default

    def values(self) -> list[Any]:
        return [self[key] for key in self]

    def items(self) -> list[tuple[str, Any]]:
        return [(key, self[key]) for key in self]
