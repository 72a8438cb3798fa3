"""Marks: how a process is known to belong to a child although it forked twice and took a session of its own.

A mark is a soft limit on queued signals, a little below the hard one: every descendant inherits it over fork and exec,
it can be read in `/proc`, and it changes nothing for anyone (limits are counted in tens of thousands). Where the
limit cannot carry marks, the session that every child starts with stands in.
"""

from __future__ import annotations

import os

SMALLEST_USEFUL_LIMIT = 8192
UNLIMITED_BASE = 1 << 30


def mark_limit(mark: int) -> int | None:
    """The soft limit that stands for a mark, or None where limits cannot carry marks."""
    if mark <= 0 or mark > _base() // 2:
        return None
    return _base() - mark


def set_mark(mark: int) -> None:
    """Marks this process and all that it will start."""
    soft = mark_limit(mark)
    if soft is None:
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)[1]
    try:
        resource.setrlimit(resource.RLIMIT_SIGPENDING, (soft, hard))
    except (OSError, ValueError):
        pass


def read_mark(pid: int) -> int:
    """The mark of another process, or 0."""
    text = _read(f'/proc/{pid}/limits')
    start = text.find(b'Max pending signals')
    if start < 0:
        return 0
    soft = text[start + 19 : start + 60].split(None, 1)[0]
    base = _base()
    return base - int(soft) if soft.isdigit() and base and int(soft) < base else 0


def children_of(parent: int) -> list[tuple[int, int]]:
    """Living processes whose parent is `parent`, as pairs of pid and session. Empty where there is no `/proc`."""
    found: list[tuple[int, int]] = []
    wanted = str(parent).encode()
    try:
        names = os.listdir('/proc')
    except OSError:
        return found
    for name in names:
        if name.isdigit():
            # pid (comm) state ppid pgrp session …; comm may hold anything, even a parenthesis
            fields = _read(f'/proc/{name}/stat').rpartition(b')')[2].split(None, 4)
            if len(fields) > 3 and fields[1] == wanted and fields[0] not in (b'Z', b'X'):
                found.append((int(name), int(fields[3])))
    return found


def _base() -> int:
    global _base_value
    if _base_value < 0:
        _base_value = _find_base()
    return _base_value


_base_value = -1


def _find_base() -> int:
    import resource

    kind = getattr(resource, 'RLIMIT_SIGPENDING', None)
    if kind is None:
        return 0
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        return UNLIMITED_BASE
    return hard if hard >= SMALLEST_USEFUL_LIMIT else 0


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b''
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b''
    finally:
        os.close(descriptor)
