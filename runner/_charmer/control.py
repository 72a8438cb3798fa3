"""Reaching a busy runner: the kernel interrupts plugin code when a control frame arrives.

The handler reads control frames and nothing else. It marks cancelled calls, raises `Cancelled` if the code of one of
them is on top of the stack, and answers dumps. The end of the control descriptor is the end of the host.
"""

from __future__ import annotations

import sys
from posix import read as posix_read

from .calls import Cancelled
from .frames import FrameError, unpack, write_whole
from .messages import CANCEL, CLOSE, DUMP, HEADER_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .service import Service

# Time that plugin code and clean-up get once the conversation is over, in seconds: no worker outlives its host by two.
CLOSE_LIMIT = 1.5


class Control:
    """The control descriptor and the dumps that it asks for."""

    def __init__(self, service: Service, control: int, dumps: int) -> None:
        self.service = service
        self.descriptor = control
        self.is_at_end = False
        self._dumps = dumps
        self._rest = b''
        self._is_reading = False
        self._is_due = False
        self._has_watchdog = False

    def install(self) -> None:
        """Asks the kernel for a signal per arrival. Plugin code that takes the signal for itself is not reachable."""
        from _signal import SIGIO, signal  # type: ignore[import-not-found]
        from fcntl import F_GETFL, F_SETFL, F_SETOWN, FASYNC, fcntl
        from posix import O_NONBLOCK, getpid

        signal(SIGIO, self._on_signal)
        fcntl(self.descriptor, F_SETOWN, getpid())
        flags = fcntl(self.descriptor, F_GETFL)
        fcntl(self.descriptor, F_SETFL, flags | O_NONBLOCK | FASYNC)
        # What arrived before the kernel knew whom to tell.
        self.read(None)

    def uninstall(self) -> None:
        """Stops listening: an interpreter that is going down would die of the signal."""
        from _signal import SIG_IGN, SIGIO, getsignal, signal

        if getsignal(SIGIO) == self._on_signal:
            signal(SIGIO, SIG_IGN)

    def _on_signal(self, _signal: int, frame: Any) -> None:
        service = self.service
        if service.writer.is_foreign:
            return
        self.read(frame)
        call = service.active
        if call is None and service.driver is not None:
            call = service.driver.stepping_call()
        if call is not None:
            service.check_cancelled(call)

    def read(self, frame: Any) -> None:
        """Takes every control frame that is there. A handler that interrupts itself leaves the work to the first."""
        self._is_due = True
        if self._is_reading:
            return
        while self._is_due:
            self._is_due = False
            self._is_reading = True
            try:
                self._drain(frame)
            finally:
                self._is_reading = False

    def _drain(self, frame: Any) -> None:
        while not self.is_at_end:
            try:
                data = posix_read(self.descriptor, 4096)
            except BlockingIOError:
                return
            except ConnectionResetError:
                data = b''
            if not data:
                self.is_at_end = True
                self._close()
                return
            self._take(self._rest + data, frame)

    def _take(self, data: bytes, frame: Any) -> None:
        start = 0
        while len(data) - start >= HEADER_BYTES:
            length, kind, _flags, _slot, identity = unpack(data, start)
            if length:
                raise FrameError('FRAME_MALFORMED', 'Control frame has a payload')
            start += HEADER_BYTES
            if kind == CANCEL:
                self._cancel(identity)
            elif kind == DUMP:
                from .stacks import all_stacks

                write_whole(self._dumps, all_stacks(self.service, frame).encode('utf-8', 'backslashreplace') + b'\0')
            elif kind == CLOSE:
                self._close()
            else:
                raise FrameError('MESSAGE_UNEXPECTED', f'Control frame has kind {kind}')
        self._rest = data[start:]

    def _cancel(self, identity: int) -> None:
        call = self.service.calls.get(identity)
        if call is None:
            self.service.early.add(identity)
        else:
            call.cancelled = True

    def _close(self) -> None:
        service = self.service
        service.is_closing = True
        self.watch_exit()

    def watch_exit(self) -> None:
        """Makes sure that the process ends, whatever plugin code does."""
        if self._has_watchdog:
            return
        self._has_watchdog = True
        from _thread import start_new_thread

        start_new_thread(_exit_late, ())


def _exit_late() -> None:
    from posix import _exit
    from time import sleep

    sleep(CLOSE_LIMIT)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    _exit(0)


__all__ = ['CLOSE_LIMIT', 'Cancelled', 'Control']
