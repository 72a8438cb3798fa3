"""Descriptors: takes the wire's out of the reach of plugins and gives plugins ordinary standard streams."""

from __future__ import annotations

import sys
from posix import O_RDWR, close, dup2
from posix import open as posix_open

# Plugins that close or write descriptors by number use low ones.
_LOWEST_NUMBERS = (200, 64, 10)


class WireDescriptors:
    """Where the four channels of the wire are after they were claimed."""

    __slots__ = ('control', 'dumps', 'input', 'output')

    def __init__(self, input: int, output: int, control: int, dumps: int) -> None:
        self.input = input
        self.output = output
        self.control = control
        self.dumps = dumps


def claim_wire() -> WireDescriptors:
    """Moves descriptors 3 to 6 to high numbers that no child inherits. Afterwards 3 to 6 are closed."""
    return WireDescriptors(*[_move_up(descriptor) for descriptor in (3, 4, 5, 6)])


def _move_up(descriptor: int) -> int:
    from fcntl import F_DUPFD_CLOEXEC, fcntl

    for lowest in _LOWEST_NUMBERS:
        try:
            moved = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest)
        except OSError as error:
            refusal = error
        else:
            close(descriptor)
            return moved
    raise refusal


def prepare_standard_streams() -> None:
    """Descriptor 0 becomes the null device; output is UTF-8 and goes out line by line."""
    null = posix_open('/dev/null', O_RDWR)
    dup2(null, 0)
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        if stream is None:
            dup2(null, descriptor)
            opened = open(descriptor, 'w', encoding='utf-8', errors='backslashreplace', buffering=1, closefd=False)  # noqa: SIM115
            if descriptor == 1:
                sys.stdout = sys.__stdout__ = opened  # type: ignore[misc]
            else:
                sys.stderr = sys.__stderr__ = opened  # type: ignore[misc]
        else:
            stream.reconfigure(encoding='utf-8', line_buffering=True)  # type: ignore[union-attr]
    if null > 2:
        close(null)
    if sys.stdin is None:
        sys.stdin = sys.__stdin__ = open(0, encoding='utf-8', closefd=False)  # type: ignore[misc]  # noqa: SIM115
