"""Processes that plugin code forks from the runner's: they keep away from the wire, and end when they come back."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .service import Service


def keep_out_of_forks(service: Service, descriptors: tuple[int, ...]) -> None:
    """Closes the wire in every forked process and puts an end to it at its first step in the runner's code."""
    from posix import close, register_at_fork

    def leave_wire() -> None:
        service.is_foreign = True
        service.writer = _Exit()  # type: ignore[assignment]
        for descriptor in descriptors:
            try:
                close(descriptor)
            except OSError:
                pass

    register_at_fork(after_in_child=leave_wire)


class _Exit:
    """Stands where the writer was: whatever the runner does next, it reaches for that."""

    def __getattr__(self, _name: str) -> NoReturn:
        error = sys.exc_info()[1]
        status = 0
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None and not isinstance(error, StopIteration):
            sys.excepthook(type(error), error, error.__traceback__)
            status = 1
        leave_process(status)


def leave_process(status: int) -> NoReturn:
    """Ends this process at once, without any clean-up but that of the standard streams."""
    from posix import _exit

    flush_standard_streams()
    _exit(status)


def flush_standard_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            # Nobody reads the plugin's output any more.
            pass
