"""`Node`, the base of every node, with its state by session."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any, Optional

from .exceptions import ConfigurationError
from .node_state import SessionState, StateManager
from .records import Record

__all__ = ['Node', 'RemoteExecutorConfig', 'SessionState', 'StateManager']

# A trailing dict with any of these keys is metadata of the value before it.
_METADATA_KEYS = ('session_id', 'metadata', 'user_name', 'timestamp')


class Node(ABC):
    """Something that turns one value into another. Keyword arguments beyond the named ones become `self.config`."""

    def __init__(
        self,
        name: Optional[str] = None,
        enable_state: bool = True,
        state_ttl: Optional[float] = None,
        max_sessions: Optional[int] = None,
        **kwargs: Any,
    ) -> None:
        self.name = name or type(self).__name__
        self.config: Any = kwargs
        self.logger: Any = logging.getLogger(type(self).__name__)
        self.enable_state = enable_state
        self._state_ttl = state_ttl
        self._max_sessions = max_sessions
        self.state: Optional[StateManager] = StateManager(state_ttl, max_sessions) if enable_state else None
        self._current_session_id: Optional[str] = None
        self._is_initialized = False

    @abstractmethod
    def process(self, data: Any) -> Any:
        """Turns one value into its outputs; a value, a coroutine, a generator or an async generator."""

    def initialize(self) -> Any:
        """Makes ready for `process`; calling it again does nothing."""
        if self._is_initialized:
            return
        if self.state is not None:
            try:
                self.state.start_cleanup_task()
            except RuntimeError:
                # Where threads cannot be started, states simply live until cleanup().
                self.logger.debug('No thread for the state of %s', self.name)
        self._is_initialized = True

    def cleanup(self) -> Any:
        """Lets go of everything."""
        if self.state is not None:
            self.state.stop_cleanup_task()
            self.state.clear_all_sessions()
        self._is_initialized = False

    @property
    def is_initialized(self) -> bool:
        return self._is_initialized

    def set_session_id(self, session_id: Optional[str]) -> None:
        self._current_session_id = session_id

    def get_session_id(self) -> Optional[str]:
        return self._current_session_id

    def get_session_state(self, session_id: Optional[str] = None) -> Optional[SessionState]:
        """The state of a session, of the current one by default; None without state or id."""
        session_id = session_id or self._current_session_id
        if self.state is None or not session_id:
            return None
        return self.state.get_or_create_session(session_id)

    def extract_session_id(self, data: Any) -> Optional[str]:
        if isinstance(data, tuple) and data and isinstance(data[-1], dict):
            data = data[-1]
        return data.get('session_id') if isinstance(data, dict) else None

    def split_data_metadata(self, data: Any) -> tuple[Any, Optional[dict[str, Any]]]:
        """`(value, metadata)`; metadata is None where there is none."""
        if isinstance(data, tuple) and len(data) > 1 and isinstance(data[-1], dict):
            metadata = data[-1]
            if any(key in metadata for key in _METADATA_KEYS):
                return (data[0] if len(data) == 2 else data[:-1]), metadata
        return data, None

    def merge_data_metadata(self, data: Any, metadata: Optional[dict[str, Any]]) -> Any:
        if metadata is None:
            return data
        return (*data, metadata) if isinstance(data, tuple) else (data, metadata)

    def get_config(self) -> dict[str, Any]:
        return {'name': self.name, 'class': type(self).__name__, 'config': self.config}

    def get_capabilities(self) -> Any:
        return None

    def _extract_params(self) -> dict[str, Any]:
        return dict(self.config)

    def to_manifest(self, include_capabilities: bool = True) -> dict[str, Any]:
        """This node as an entry of a pipeline manifest."""
        entry: dict[str, Any] = {'id': self.name, 'node_type': type(self).__name__, 'params': self._extract_params()}
        if getattr(self, 'is_streaming', False):
            entry['is_streaming'] = True
        capabilities = self.get_capabilities() if include_capabilities else None
        if capabilities is not None:
            entry['capabilities'] = capabilities
        host = getattr(self, 'host', None)
        if host is not None:
            entry['host'] = host
        return entry

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name='{self.name}')"

    def __getstate__(self) -> dict[str, Any]:
        # Loggers and locks do not travel; the other side makes its own.
        return {**self.__dict__, 'logger': None, 'state': None, '_is_initialized': False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.logger = logging.getLogger(type(self).__name__)
        if self.enable_state:
            self.state = StateManager(self._state_ttl, self._max_sessions)


class RemoteExecutorConfig(Record):
    """Where a node would run elsewhere. Only checked here: Charmer runs nodes on its own machine."""

    def __init__(
        self,
        host: str,
        port: int,
        protocol: str = 'grpc',
        auth_token: Optional[str] = None,
        timeout: float = 30.0,
        max_retries: int = 3,
        ssl_enabled: bool = True,
        pip_packages: Optional[list[str]] = None,
    ) -> None:
        self.host = host
        self.port = port
        self.protocol = protocol
        self.auth_token = auth_token
        self.timeout = timeout
        self.max_retries = max_retries
        self.ssl_enabled = ssl_enabled
        self.pip_packages = pip_packages
        if self.protocol not in ('grpc', 'http'):
            raise ConfigurationError(f"Protocol '{self.protocol}' is not supported, expected 'grpc' or 'http'")
        if self.port <= 0:
            raise ConfigurationError(f'Port must be positive, not {self.port}')
        if self.timeout <= 0:
            raise ConfigurationError(f'Timeout must be positive, not {self.timeout}')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError('Remote nodes are not supported: Charmer runs nodes on its own machine')
