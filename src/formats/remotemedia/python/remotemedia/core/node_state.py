"""State of a node, kept per session and forgotten after a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any, Optional

from .records import Record

DEFAULT_TTL_SECONDS = 24 * 60 * 60.0
SWEEP_INTERVAL_SECONDS = 5 * 60.0


class SessionState(Record):
    """The values of one session. Each access makes it young again."""

    def __init__(
        self,
        session_id: str,
        data: Optional[dict[str, Any]] = None,
        created_at: Optional[float] = None,
        last_accessed: Optional[float] = None,
        metadata: Optional[dict[str, Any]] = None,
    ) -> None:
        self.session_id = session_id
        self.data: dict[str, Any] = {} if data is None else data
        self.created_at: float = time.time() if created_at is None else created_at
        self.last_accessed: float = time.time() if last_accessed is None else last_accessed
        self.metadata: dict[str, Any] = {} if metadata is None else metadata

    def update_access_time(self) -> None:
        self.last_accessed = time.time()

    def get(self, key: str, default: Any = None) -> Any:
        self.update_access_time()
        return self.data.get(key, default)

    def set(self, key: str, value: Any) -> None:
        self.update_access_time()
        self.data[key] = value

    def update(self, values: dict[str, Any]) -> None:
        self.update_access_time()
        self.data.update(values)

    def clear(self) -> None:
        self.update_access_time()
        self.data.clear()


class StateManager:
    """Sessions by id, the least recently used first. `default_ttl` is in seconds."""

    def __init__(
        self,
        default_ttl: Optional[float] = None,
        max_sessions: Optional[int] = None,
        enable_persistence: bool = False,
    ) -> None:
        self.default_ttl = DEFAULT_TTL_SECONDS if default_ttl is None else default_ttl
        self.max_sessions = max_sessions
        self.enable_persistence = enable_persistence
        self._sessions: OrderedDict[str, SessionState] = OrderedDict()
        self._lock = threading.RLock()
        self._sweeper: Optional[threading.Thread] = None
        self._stopped = threading.Event()

    def get_or_create_session(self, session_id: str) -> SessionState:
        with self._lock:
            found = self.get_session(session_id)
            if found is not None:
                return found
            if self.max_sessions is not None:
                while len(self._sessions) >= max(self.max_sessions, 1):
                    self._sessions.popitem(last=False)
            made = self._sessions[session_id] = SessionState(session_id)
            return made

    def get_session(self, session_id: str) -> Optional[SessionState]:
        with self._lock:
            found = self._sessions.get(session_id)
            if found is not None:
                found.update_access_time()
                self._sessions.move_to_end(session_id)
            return found

    def delete_session(self, session_id: str) -> bool:
        with self._lock:
            return self._sessions.pop(session_id, None) is not None

    def get_all_sessions(self) -> dict[str, SessionState]:
        with self._lock:
            return dict(self._sessions)

    def clear_all_sessions(self) -> None:
        with self._lock:
            self._sessions.clear()

    def cleanup_expired_sessions(self) -> int:
        """Forgets what nobody touched for `default_ttl` seconds; returns how many that were."""
        oldest = time.time() - self.default_ttl
        with self._lock:
            expired = [key for key, state in self._sessions.items() if state.last_accessed < oldest]
            for key in expired:
                del self._sessions[key]
        return len(expired)

    def start_cleanup_task(self, interval: float = SWEEP_INTERVAL_SECONDS) -> None:
        """Starts a daemon thread that sweeps every `interval` seconds; once is enough."""
        if self._sweeper is not None and self._sweeper.is_alive():
            return
        self._stopped.clear()
        self._sweeper = threading.Thread(target=self._sweep, args=(interval,), name='node-state', daemon=True)
        self._sweeper.start()

    def stop_cleanup_task(self) -> None:
        self._stopped.set()
        self._sweeper = None

    def _sweep(self, interval: float) -> None:
        while not self._stopped.wait(interval):
            self.cleanup_expired_sessions()
