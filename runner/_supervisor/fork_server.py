"""The fork verb: copies of this process that go on as fresh processes, most of them parked until there is an order.

    → {"id": 1, "verb": "fork", "token": "...", "channels": [0, 1, 2, 7], "mark": 9, "rehearse": true}
    ← {"id": 1, "pid": 4711}

The copy connects back at once and waits on channel 7 for one line, its order:

    → {"argv": ["python3", "main.py"], "flags": 0, "cwd": "...", "env": {...}, "limits": {...}, "stdin": "pipe"}

    ← {"accepted": true}                                            it goes on as the command
    ← {"code": 0, "cpuMs": ..., "peakMemoryBytes": ...}             it has come to its end and is about to go
    ← {"stage": "cwd", "errno": 2, ...}                             instead of both: a report as the exec verb's

The stage `fallback` means that only a process started by exec would be the same. A request may have the order in a
field `order` already. The end that a copy tells of itself comes before its memory is taken apart, and so before the
exit event. Nothing of a plugin is read by the server itself.
"""

from __future__ import annotations

import gc
import os
import sys

from _supervisor import channels, fresh, kernel, launch, marks
from _supervisor.lines import decode, write_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from _supervisor.program import Program

CONTROL = 7
# Numeric libraries start a thread per processor at import, and no thread survives a fork.
THREADS_REFUSED = 'starts threads'


class Copied(BaseException):
    """Carries a copy out of the server's loop to the top, so that the script has nothing of ours below it."""

    def __init__(self, program: Program, control: int) -> None:
        super().__init__()
        self.program = program
        self.control = control


class ForkServer:
    """What the copies have in common: the interpreter as it started, and what was imported ahead."""

    def __init__(self, socket_path: str, modules_at_start: frozenset[str]) -> None:
        self._socket_path = socket_path
        self._base = fresh.Base(modules_at_start)
        self._kept: set[int] = set()

    def preload(self, modules: list[str]) -> dict[str, str]:
        """Imports modules ahead. Returns why some could not be; after a refusal for threads nothing must be forked."""
        failed: dict[str, str] = {}
        before = set(channels.open_descriptors())
        # The runner is next to us, and nothing else there is on anybody's path.
        home = os.path.dirname(os.path.dirname(__file__))
        sys.path.append(home)
        for name in modules:
            # `DIRECTORY:module` is looked for there only as long as it is imported.
            directory, _, module = name.rpartition(':')
            sys.path[:0] = [directory] if directory else []
            try:
                __import__(module)
            except BaseException as error:
                failed[name] = f'{type(error).__name__}: {error}'
            if directory:
                _take_off_path(directory)
            if kernel.count_threads() > 1:
                failed[name] = THREADS_REFUSED
                break
        _take_off_path(home)
        # What a library holds open is part of it; the listing's own descriptor is closed again by now.
        self._kept = {number for number in channels.open_descriptors() if number not in before and _is_open(number)}
        self._base.note_preloads()
        return failed

    def freeze(self) -> None:
        """Last step before the first fork: what exists now is shared for good, never to be counted through again."""
        _flush_standard_streams()
        kernel.set_dumpable(False)
        gc.collect()
        gc.freeze()
        gc.disable()

    def start(self, request: dict[str, Any]) -> int:
        """Forks a copy and returns its pid. In the copy, raises Copied."""
        pid = os.fork()
        if pid != 0:
            return pid
        try:
            copied = self._go_on(request)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(127)
        raise copied

    def _go_on(self, request: dict[str, Any]) -> Copied:
        fresh.reset_signals()
        os.setsid()
        kernel.set_dumpable(True)
        connected = channels.connect_back(self._socket_path, bytes.fromhex(request['token']), request['channels'])
        control = channels.move_up(connected.pop(CONTROL))
        channels.close_all_but({0, 1, 2, control, *connected.values(), *self._kept})
        channels.put_in_place(connected)
        marks.set_mark(request['mark'])
        order = request.get('order')
        if order is None:
            if request['rehearse']:
                self._base.rehearse()
            order = _read_order(control)
        if order is None:
            os._exit(0)
        gc.enable()
        try:
            program = self._base.become(order)
        except launch.LaunchFailure as failure:
            write_line(control, failure.report)
            os._exit(127)
        os.write(control, b'{"accepted":true}\n')
        return Copied(program, control)


def _read_order(control: int) -> dict[str, Any] | None:
    """One line; None when the host does not need us after all."""
    pieces: list[bytes] = []
    while True:
        data = os.read(control, 65536)
        if not data:
            return None
        pieces.append(data)
        if data.endswith(b'\n'):
            order: dict[str, Any] = decode(b''.join(pieces).decode('utf-8', 'surrogatepass'))
            return order


def _take_off_path(directory: str) -> None:
    sys.path.remove(directory)
    sys.path_importer_cache.pop(directory, None)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _flush_standard_streams() -> None:
    """What a preload printed must not be printed again by every copy."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
