"""Words for the state of a session and of a node that starts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum


class SessionStatus(Enum):
    INITIALIZING = 'initializing'
    READY = 'ready'
    RUNNING = 'running'
    TERMINATING = 'terminating'
    TERMINATED = 'terminated'
    ERROR = 'error'


class InitStatus(Enum):
    STARTING = 'starting'
    LOADING_MODEL = 'loading_model'
    CONNECTING = 'connecting'
    READY = 'ready'
    FAILED = 'failed'


@dataclass
class InitProgress:
    """How far the start of one node is; `progress` is between 0 and 1."""

    node_id: str
    node_type: str
    status: InitStatus
    progress: float = 0.0
    message: str = ''
    timestamp: float = field(default_factory=time.time)
