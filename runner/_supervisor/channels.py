"""The connections of a child to its host, and the descriptors that they become."""

from __future__ import annotations

import _socket
import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Above every channel number, so that putting one in its place never closes another.
FIRST_SPARE_DESCRIPTOR = 16
OUT_OF_THE_WAY = (700, 200, 64)


def connect_back(path: str, token: bytes, channels: Iterable[int]) -> dict[int, int]:
    """One connection per channel, each opened by the token and the channel's number."""
    connected: dict[int, int] = {}
    for channel in channels:
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.connect(path)
        connection.sendall(token + bytes((channel,)))
        low = connection.detach()
        connected[channel] = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, FIRST_SPARE_DESCRIPTOR)
        os.close(low)
    return connected


def move_up(descriptor: int) -> int:
    """Moves a descriptor to where scripts that use descriptors by number do not look."""
    for lowest in OUT_OF_THE_WAY:
        try:
            moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
        except OSError:
            continue
        os.close(descriptor)
        return moved
    return descriptor


def put_in_place(connected: dict[int, int]) -> None:
    """Gives every connection the descriptor of its number; without one, descriptor 0 is the null device."""
    if 0 not in connected:
        null = os.open(os.devnull, os.O_RDONLY)
        if null != 0:
            os.dup2(null, 0)
            os.close(null)
        else:
            os.set_inheritable(0, True)
    for channel, descriptor in connected.items():
        os.dup2(descriptor, channel)
        os.close(descriptor)


def open_descriptors() -> list[int]:
    """The descriptors that are open now."""
    try:
        names = os.listdir('/proc/self/fd' if os.path.isdir('/proc/self/fd') else '/dev/fd')
    except OSError:
        return list(range(os.sysconf('SC_OPEN_MAX') if os.sysconf('SC_OPEN_MAX') < 4096 else 4096))
    return [int(name) for name in names]


def close_all_but(kept: Iterable[int]) -> None:
    """Closes every descriptor except those named."""
    keep = set(kept)
    for descriptor in open_descriptors():
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:
                pass
