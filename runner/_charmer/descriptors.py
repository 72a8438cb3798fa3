"""Descriptors: takes the wire's out of the reach of plugins and gives plugins ordinary standard streams."""

from __future__ import annotations

import posix
import sys

# Plugins that close or write descriptors by number use low ones.
_LOWEST_NUMBERS = (200, 64, 10)


def claim_wire() -> tuple[int, int, int, int]:
    """Moves descriptors 3 to 6 to high numbers that no child inherits: input, output, control, dumps."""
    return _move_up(3), _move_up(4), _move_up(5), _move_up(6)


def _move_up(descriptor: int) -> int:
    from fcntl import F_DUPFD_CLOEXEC, fcntl

    for lowest in _LOWEST_NUMBERS:
        try:
            moved = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest)
        except OSError as error:
            refusal = error
        else:
            posix.close(descriptor)
            return moved
    raise refusal


def prepare_standard_streams() -> None:
    """Descriptor 0 becomes the null device; output is UTF-8 and goes out line by line."""
    null = posix.open('/dev/null', posix.O_RDONLY)
    posix.dup2(null, 0)
    posix.close(null)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding='utf-8', line_buffering=True)  # type: ignore[union-attr]
