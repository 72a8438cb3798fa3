"""The supervisor's loop: requests in, replies and exits out.

Invariants: one thread; nothing here waits for a child or for the host; a pid is in `_children` exactly as long as it is
not reaped; the reply to a request is written before the exit of the child that it started.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import time

from _supervisor import channels, family, kernel, launch
from _supervisor.lines import LineReader, decode, write_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any

    from _supervisor.fork_server import Copied, ForkServer
else:
    import _signal

REQUESTS = 3
EVENTS = 4
# Ends of processes that were nobody's children yet: enough for all that a fork server had running.
MAX_STRANGERS = 512


class _Child:
    """A child that has not been reaped."""

    def __init__(self, pid: int, request: dict[str, Any], report: int | None) -> None:
        self.pid = pid
        self.id: int = request['id']
        self.mark: int = request['mark']
        self.report = report  # descriptor that ends when the command runs; None once it does
        self.started = time.monotonic()


class Supervisor:
    """Owns the children of one host."""

    def __init__(self, socket_path: str, fork_server: ForkServer | None = None) -> None:
        self._socket_path = socket_path
        self._fork_server = fork_server
        self._strangers: dict[int, tuple[int, Any]] = {}
        self._children: dict[int, _Child] = {}
        self._starting: dict[int, _Child] = {}
        self._family = family.Family()
        self._poll = select.poll()
        self._is_ending = False

    def run(self, first_words: dict[str, object]) -> None:
        """Serves until the host is gone or says that it goes."""
        wakeup = _watch_signals()
        requests = LineReader(REQUESTS)
        self._poll.register(REQUESTS, select.POLLIN)
        self._poll.register(wakeup, select.POLLIN)
        self._send({'event': 'ready', 'pid': os.getpid(), **first_words})
        while not self._is_ending:
            wait = self._family.wait_seconds()
            ready = [descriptor for descriptor, _ in self._poll.poll(None if wait is None else wait * 1000 + 1)]
            # Requests come last: they open descriptors, whose numbers must not be taken for those that ended above.
            for descriptor in ready:
                if descriptor in self._starting:
                    self._settle(self._starting[descriptor])
            if wakeup in ready:
                self._woken(wakeup)
            if REQUESTS in ready:
                self._serve(requests)
            self._family.tend(self._children)

    def end(self) -> None:
        """Ends every descendant."""
        family.end_everyone(dict.fromkeys(self._children))

    def _serve(self, requests: LineReader) -> None:
        values = requests.read()
        if values is None:
            self._is_ending = True
            return
        for request in values:
            verb = request['verb']
            if verb == 'exec':
                self._exec(request)
            elif verb == 'fork' and self._fork_server is not None:
                self._fork(request, self._fork_server)
            elif verb == 'signal':
                self._signal(request)
            elif verb == 'adopt':
                self._adopt(request)
            else:
                self._refuse(request, launch.LaunchFailure('verb', ValueError(f'unknown verb {verb}')))

    def _exec(self, request: dict[str, Any]) -> None:
        try:
            pid, report = launch.start(request, self._socket_path)
        except OSError as error:
            self._refuse(request, launch.LaunchFailure('fork', error))
            return
        child = _Child(pid, request, report)
        self._children[pid] = child
        self._starting[report] = child
        self._poll.register(report, select.POLLIN)

    def _fork(self, request: dict[str, Any], fork_server: ForkServer) -> None:
        try:
            pid = fork_server.start(request)
        except OSError as error:
            self._refuse(request, launch.LaunchFailure('fork', error))
            return
        self._children[pid] = _Child(pid, request, None)
        self._send({'id': request['id'], 'pid': pid})

    def _adopt(self, request: dict[str, Any]) -> None:
        """Takes over a child of a fork server that has ended: it is ours already, or has ended meanwhile."""
        pid = request['pid']
        child = _Child(pid, request, None)
        stranger = self._strangers.pop(pid, None)
        if stranger is None and not family.is_child(pid):
            self._refuse(request, launch.LaunchFailure('adopt', ProcessLookupError(errno.ESRCH, 'No such child')))
            return
        self._children[pid] = child
        self._send({'id': request['id'], 'pid': pid})
        if stranger is not None:
            self._ended(child, *stranger)

    def _settle(self, child: _Child) -> bool:
        """Replies to the request that started a child; False when it never became its command."""
        report = child.report
        if report is None:
            return True
        child.report = None
        del self._starting[report]
        self._poll.unregister(report)
        text = os.read(report, 65536)
        os.close(report)
        if text:
            self._send({'id': child.id, 'error': decode(text.decode('ascii'))})
            child.id = 0
            return False
        self._send({'id': child.id, 'pid': child.pid})
        return True

    def _signal(self, request: dict[str, Any]) -> None:
        pid, number = request['pid'], request['signal']
        if pid not in self._children:
            delivered = request['group'] and self._family.signal(pid, request['mark'], number, self._children)
        elif request['group']:
            delivered = family.send_group(pid, number)
        else:
            delivered = family.send(pid, number)
        self._send({'id': request['id'], 'delivered': bool(delivered)})

    def _woken(self, wakeup: int) -> None:
        numbers = os.read(wakeup, 4096)
        if any(number != _signal.SIGCHLD for number in numbers):
            self._is_ending = True
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.get(pid)
            if child is not None:
                self._ended(child, status, usage)
            else:
                self._strangers[pid] = (status, usage)
                if len(self._strangers) > MAX_STRANGERS:
                    del self._strangers[next(iter(self._strangers))]

    def _ended(self, child: _Child, status: int, usage: Any) -> None:
        has_run = self._settle(child) and child.id != 0
        del self._children[child.pid]
        if not has_run:
            return
        self._family.child_ended(child.pid, child.mark)
        self._send(exit_event(child.id, status, usage, child.started))

    def _refuse(self, request: dict[str, Any], failure: launch.LaunchFailure) -> None:
        self._send({'id': request['id'], 'error': failure.report})

    def _send(self, value: dict[str, object]) -> None:
        try:
            write_line(EVENTS, value)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET):
                raise
            self._is_ending = True


def exit_event(request_id: int, status: int, usage: Any, started: float) -> dict[str, object]:
    """The facts of an exit, as the host is told."""
    is_signalled = os.WIFSIGNALED(status)
    return {
        'event': 'exit',
        'id': request_id,
        'code': None if is_signalled else os.WEXITSTATUS(status),
        'signal': os.WTERMSIG(status) if is_signalled else None,
        'durationMs': (time.monotonic() - started) * 1000,
        'cpuMs': (usage.ru_utime + usage.ru_stime) * 1000,
        'peakMemoryBytes': usage.ru_maxrss * (1 if sys.platform == 'darwin' else 1024),
    }


def _watch_signals() -> int:
    """A descriptor that can be read when a child ended or somebody wants us to end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    for number in (_signal.SIGCHLD, _signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP):
        _signal.signal(number, lambda *_: None)
    _signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def main(arguments: list[str], modules_at_start: frozenset[str]) -> int | Copied:
    """Runs the supervisor of one host, or a fork server. Returns the exit status; in a copy, what it is to run."""
    channels.close_all_but((0, 1, 2, REQUESTS, EVENTS))
    os.set_inheritable(REQUESTS, False)
    os.set_inheritable(EVENTS, False)
    os.chdir('/')
    kernel.prepare()
    kernel.become_subreaper()
    if arguments[0] == '--server':
        return _serve_forks(arguments[1], arguments[2:], modules_at_start)
    (socket_path,) = arguments
    supervisor = Supervisor(socket_path)
    try:
        supervisor.run({})
    finally:
        supervisor.end()
        _remove(socket_path)
    return 0


def _serve_forks(socket_path: str, preloads: list[str], modules_at_start: frozenset[str]) -> int | Copied:
    from _supervisor.fork_server import Copied, ForkServer

    fork_server = ForkServer(socket_path, modules_at_start)
    failed = fork_server.preload(preloads)
    supervisor = Supervisor(socket_path, fork_server)
    fork_server.freeze()
    try:
        supervisor.run({'failed': failed})
    except Copied as copied:
        return copied.with_traceback(None)
    except BaseException:
        supervisor.end()
        raise
    supervisor.end()
    return 0


def _remove(socket_path: str) -> None:
    """A killed host removes neither socket nor directory, one that ends without closing only the socket."""
    for remove, path in ((os.unlink, socket_path), (os.rmdir, os.path.dirname(socket_path))):
        try:
            remove(path)
        except OSError:
            pass
