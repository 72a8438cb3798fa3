"""Descendants: who is left when a child ends, and how everyone is ended when the host does.

Invariants: a process is signalled only while it is our child and not yet reaped, so its number cannot have passed to a
stranger; a descendant further down becomes our child when its parent ends, because we are a subreaper.
"""

from __future__ import annotations

import os
import time

from _supervisor import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Container
else:
    import _signal

# What a child leaves behind may finish what it is writing; with both steps and one scan, gone well within two seconds.
LINGER_SECONDS = 0.5
TERMINATE_SECONDS = 0.5
# Looking at every process of the machine costs a millisecond per hundred: never more than a twentieth of our time.
SCAN_SECONDS = 0.1
SCAN_SHARE = 20
# The host is gone: a short chance to end by oneself, then no more.
FAREWELL_SECONDS = 0.4
END_SECONDS = 1.5


class Family:
    """The processes that children left behind when they ended."""

    def __init__(self) -> None:
        self._ended: dict[int, tuple[float, int]] = {}  # mark → when its child ended, and the child's session
        self._next_scan: float | None = None
        self._scan_seconds = 0.0

    def child_ended(self, pid: int, mark: int) -> None:
        """Takes note that descendants with this mark have no one to answer to any more."""
        now = time.monotonic()
        self._ended[mark or -pid] = (now, pid)
        if self._next_scan is None:
            self._next_scan = now + max(SCAN_SECONDS, self._scan_seconds * SCAN_SHARE)

    def wait_seconds(self) -> float | None:
        """How long the loop may sleep, or None for as long as it likes."""
        return None if self._next_scan is None else max(0.0, self._next_scan - time.monotonic())

    def tend(self, known: Container[int]) -> None:
        """When it is time, asks those left behind to end, later makes them."""
        now = time.monotonic()
        if self._next_scan is None or now < self._next_scan:
            return
        remaining: set[int] = set()
        for pid, key in self._left_behind(known):
            remaining.add(key)
            age = now - self._ended[key][0]
            if age > LINGER_SECONDS + TERMINATE_SECONDS:
                send(pid, _signal.SIGKILL)
            elif age > LINGER_SECONDS:
                send(pid, _signal.SIGTERM)
        self._ended = {key: value for key, value in self._ended.items() if key in remaining}
        self._scan_seconds = time.monotonic() - now
        self._next_scan = now + max(SCAN_SECONDS, self._scan_seconds * SCAN_SHARE) if self._ended else None

    def signal(self, pid: int, mark: int, number: int, known: Container[int]) -> bool:
        """Signals what an ended child left behind; False when nothing is left."""
        key = mark or -pid
        if key not in self._ended:
            return False
        reached = [send(left, number) for left, owner in self._left_behind(known) if owner == key]
        return any(reached)

    def _left_behind(self, known: Container[int]) -> list[tuple[int, int]]:
        sessions = {session: key for key, (_, session) in self._ended.items()}
        found: list[tuple[int, int]] = []
        for pid, session in marks.children_of(os.getpid()):
            if pid not in known:
                mark = marks.read_mark(pid)
                key = mark if mark in self._ended else sessions.get(session)
                if key is not None:
                    found.append((pid, key))
        return found


def end_everyone(known: dict[int, object]) -> None:
    """Ends every descendant: asks once, waits a little, then kills until none is left or the time is up."""
    started = time.monotonic()
    for pid in known:
        send_group(pid, _signal.SIGTERM)
    last_scan = 0.0
    while not _reap(known):
        now = time.monotonic()
        if now - started > END_SECONDS:
            return
        if now - started > FAREWELL_SECONDS and now - last_scan > 0.02:
            for pid in list(known):
                send_group(pid, _signal.SIGKILL)
            for pid, _ in marks.children_of(os.getpid()):
                send(pid, _signal.SIGKILL)
            last_scan = time.monotonic()
        time.sleep(0.002)


def is_child(pid: int) -> bool:
    """Whether a process is our child, ended or not."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (OSError, AttributeError):
        return False
    return True


def send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def send_group(leader: int, number: int) -> bool:
    """To the whole group of a child that leads one, or to the child alone."""
    try:
        os.killpg(leader, number)
    except OSError:
        return send(leader, number)
    return True


def _reap(known: dict[int, object]) -> bool:
    """Reaps whoever ended; True when no child is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            return False
        known.pop(pid, None)
