"""What a node is told about itself, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Iterator, Optional


class NodeStatus(Enum):
    IDLE = 'idle'
    INITIALIZING = 'initializing'
    READY = 'ready'
    PROCESSING = 'processing'
    ERROR = 'error'
    STOPPING = 'stopping'
    STOPPED = 'stopped'


@dataclass
class NodeConfig:
    """What a node is told about itself. Reads like the dict of the same keys too: `config['params']`."""

    node_id: str
    node_type: str
    params: dict[str, Any] = field(default_factory=dict)
    session_id: Optional[str] = None
    log_level: str = 'INFO'

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
