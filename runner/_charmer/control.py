"""Reaching a busy runner: the kernel interrupts plugin code when a control frame arrives.

The handler reads control frames and nothing else. It marks cancelled calls, raises `Cancelled` if the code of one of
them is on top of the stack, writes finished frames that wait for busy code, and answers dumps. The end of the control
descriptor is the end of the host.
"""

from __future__ import annotations

from posix import read as posix_read

from .dialect import Failure
from .frames import unpack, write_whole
from .messages import CANCEL, CLOSE, DUMP, HEADER_BYTES, PING

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
        from _signal import SIG_IGN, SIGIO, signal

        signal(SIGIO, SIG_IGN)

    def _on_signal(self, _signal: int, frame: Any) -> None:
        service = self.service
        if service.is_foreign:
            return
        self.read(frame)
        call = service.active
        if call is None and service.driver is not None:
            call = service.driver.stepping_call(service.driver.loop)
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
            self._rest += data
            while len(self._rest) >= HEADER_BYTES:
                length, kind, _flags, _slot, identity = unpack(self._rest)
                self._rest = self._rest[HEADER_BYTES:]
                self._take(length, kind, identity, frame)
            if not data:
                self.is_at_end = True
                self._close()

    def _take(self, length: int, kind: int, identity: int, frame: Any) -> None:
        service = self.service
        if length:
            raise Failure('FRAME_MALFORMED', 'Control frame has a payload')
        if kind == CANCEL:
            call = service.calls.get(identity)
            if call is None:
                service.early.add(identity)
            else:
                call.cancelled = True
        elif kind == PING:
            service.quick_runs = 0
            service.writer.flush(wait=False)
        elif kind == DUMP:
            from .stacks import all_stacks

            write_whole(self._dumps, all_stacks(service, frame).encode('utf-8', 'backslashreplace') + b'\0')
        elif kind == CLOSE:
            self._close()
        else:
            raise Failure('MESSAGE_UNEXPECTED', f'Control frame has kind {kind}')

    def _close(self) -> None:
        self.service.is_closing = True
        self.watch_exit()

    def watch_exit(self) -> None:
        """Makes sure that the process ends, whatever plugin code does."""
        if not self._has_watchdog:
            self._has_watchdog = True
            from _thread import start_new_thread

            start_new_thread(_exit_late, ())


def _exit_late() -> None:
    from time import sleep

    from .forks import leave_process

    sleep(CLOSE_LIMIT)
    leave_process(0)
