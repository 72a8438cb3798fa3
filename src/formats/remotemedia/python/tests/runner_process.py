"""The runner as a process, started the way a person or the original's host would, with its frames on 3 and 4."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
from typing import Any, Optional

from support import PLUGINS, PYTHON, entry_module

# isort: split
from remotemedia.core.multiprocessing import frames

# R79 promises five seconds; a busy machine may take longer to get there.
CLOSE_BOUND_SECONDS = 5 * 3
# Descriptors are put in their places by a program of its own: doing it between fork and exec is for C only.
_PLACE = (
    'import os, sys; a, b = map(int, sys.argv[1:3]); os.dup2(a, 3); os.dup2(b, 4); os.execv(sys.argv[3], sys.argv[3:])'
)


class RunnerProcess:
    def __init__(self, argv: list[str], stdin: Optional[str] = None, with_frames: bool = True) -> None:
        environment = {**os.environ, 'PYTHONPATH': str(PYTHON), 'PYTHONDONTWRITEBYTECODE': '1'}
        command = [sys.executable, '-m', 'remotemedia.core.multiprocessing.runner', *argv]
        ends: tuple[int, ...] = ()
        if with_frames:
            here_in, there_out = _pipe()
            there_in, here_out = _pipe()
            self.input, self.output = os.fdopen(here_out, 'wb', 0), os.fdopen(here_in, 'rb')
            ends = (there_in, there_out)
            command = [sys.executable, '-S', '-c', _PLACE, str(there_in), str(there_out), *command]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            pass_fds=ends,
        )
        for number in ends:
            os.close(number)
        if stdin is not None:
            assert self.process.stdin is not None
            self.process.stdin.write(stdin.encode('utf-8'))
            self.process.stdin.close()
            self.process.stdin = None
        self.control: list[str] = []
        self.errors: list[dict[str, Any]] = []

    def send(self, text: str, session: str = 'sess1') -> None:
        self.send_bytes(frames.pack(3, session, 0, text.encode('utf-8')))

    def send_bytes(self, frame: bytes) -> None:
        self.input.write(struct.pack('<I', len(frame)) + frame)

    def frame(self) -> Optional[frames.Frame]:
        """The next frame of whatever kind, or None when the runner has closed its side."""
        head = self.output.read(4)
        if len(head) < 4:
            return None
        frame = frames.unpack(self.output.read(struct.unpack('<I', head)[0]))
        if frame.type == frames.CONTROL_TEXT:
            self.control.append(frame.payload.decode('utf-8'))
        elif frame.type == frames.ERROR:
            self.errors.append(json.loads(frame.payload))
        return frame

    def wait_ready(self) -> bool:
        while 'READY' not in self.control:
            if self.frame() is None:
                return False
        return True

    def turn(self) -> list[str]:
        """Texts up to the end of a turn; an end that never comes shows as `'process ended'`."""
        texts: list[str] = []
        while True:
            frame = self.frame()
            if frame is None:
                return [*texts, 'process ended']
            if frame.type == frames.END_OF_INPUT:
                return texts
            if frame.type == 3:
                texts.append(frame.payload.decode('utf-8'))

    def finish(self, stop: Optional[int] = signal.SIGTERM) -> tuple[int, bytes, str]:
        """Exit code, stdout and stderr, after a signal."""
        if stop is not None:
            self.process.send_signal(stop)
        try:
            stdout, stderr = self.process.communicate(timeout=CLOSE_BOUND_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, stdout, stderr.decode('utf-8', 'replace')

    def dispose(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        for stream in (getattr(self, 'input', None), getattr(self, 'output', None)):
            if stream is not None:
                stream.close()


def arguments(plugin: Optional[str], node_type: str, params: Any = None, session: Optional[str] = 'sess1') -> list[str]:
    argv = ['--node-type', node_type, '--node-id', 'n']
    if session is not None:
        argv += ['--session-id', session]
    if plugin is not None:
        argv += ['--module-root', str(PLUGINS / plugin), '--register-module', entry_module(plugin)]
    return argv if params is None else [*argv, '--params', json.dumps(params)]


def fill(argument: str) -> str:
    """Puts a plugin's folder where the recordings say `{PLUGIN:name}`."""
    return re.sub(r'\{PLUGIN:([^}]+)\}', lambda found: str(PLUGINS / found.group(1)), argument)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are above 9, so that neither is 3 or 4."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in low)
    for number in low:
        os.close(number)
    return high[0], high[1]
