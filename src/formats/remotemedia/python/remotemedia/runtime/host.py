"""The Charmer host of this interpreter: one child process, shared by all sessions of all event loops and threads.

Invariants: a reader thread takes every frame and never waits for anybody, a writer thread writes them, so that neither
pipe can hold up the other and no event loop waits for a pipe; each request is settled once, at the latest when the
child ends; the child ends with this process, because its input does. A forked copy of this process has no host.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import itertools
import logging
import os
import queue
import subprocess
import threading
from concurrent.futures import Future
from typing import Any, Callable, Optional

from . import command
from .errors import HostError, HostUnavailableError, error_from
from .frames import PROTOCOL, encode_frame, read_frame

# A cold start loads some hundred files of JavaScript; a loaded machine takes many times the usual quarter second.
_START_TIMEOUT_S = 30
# Sessions close within five seconds; the host itself needs little more.
_END_TIMEOUT_S = 8
_KILL_TIMEOUT_S = 2
_STDERR_LINES = 20
_log = logging.getLogger('remotemedia.runtime')


class Host:
    """A running host. `ask` waits for an answer, `post` does not."""

    def __init__(self, argv: list[str]) -> None:
        self.version = ''
        self._numbers = itertools.count(1)
        self._sessions: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._pending: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        # Parts of frames to be written; None ends the child's input.
        self._outbox: queue.SimpleQueue[Optional[list[bytes]]] = queue.SimpleQueue()
        self._greeting: Future[None] = Future()
        self._failure: Optional[HostError] = None
        self._stderr: collections.deque[str] = collections.deque(maxlen=_STDERR_LINES)
        try:
            # A group of its own: an interrupt from the terminal is for this program, which decides what ends.
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=os.name != 'nt',
                creationflags=getattr(subprocess, 'CREATE_NEW_PROCESS_GROUP', 0),
            )
        except OSError as error:
            raise HostUnavailableError(f"Charmer cannot be started with '{' '.join(argv)}': {error}") from error
        workers = {'stderr': self._read_stderr, 'reader': self._read_frames, 'writer': self._write_frames}
        self._threads = [self._start(work, name) for name, work in workers.items()]
        self._greet(argv)

    @property
    def is_alive(self) -> bool:
        return self._failure is None

    @property
    def pid(self) -> int:
        return self._child.pid

    def begin(self, kind: str, fields: dict[str, Any]) -> tuple[int, Future[Any]]:
        """Sends a request; its number and its answer to come."""
        number = next(self._numbers)
        future: Future[Any] = Future()
        with self._lock:
            if self._failure is not None:
                raise HostError(str(self._failure), self._failure.facts)
            self._pending[number] = future
        try:
            self.post(kind, id=number, **fields)
        except BaseException:
            self._pending.pop(number, None)
            raise
        return number, future

    async def ask(self, kind: str, **fields: Any) -> Any:
        """Sends a request and waits for its answer. Cancelling gives the request up."""
        return await self.answer(*self.begin(kind, fields))

    async def answer(self, number: int, future: Future[Any]) -> Any:
        """Waits for the answer of a request that has begun."""
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self.post('abort', id=number)
            raise

    def post(self, kind: str, **fields: Any) -> None:
        """Sends a message that has no answer. Silent when the host has ended: who waits is told."""
        self._outbox.put(encode_frame({'kind': kind, **fields}))

    def attach_session(self, take: Callable[[dict[str, Any]], None]) -> int:
        """A session number whose messages are given to `take`, on the reader's thread."""
        number = next(self._numbers)
        self._sessions[number] = take
        return number

    def detach_session(self, number: int) -> None:
        self._sessions.pop(number, None)

    def close(self) -> None:
        """Ends the host: its input first, then by force, each within a bound."""
        self._outbox.put(None)
        for stop, timeout in (
            (None, _END_TIMEOUT_S),
            (self._child.terminate, _KILL_TIMEOUT_S),
            (self._child.kill, None),
        ):
            if stop is not None:
                stop()
            try:
                self._child.wait(timeout)
                break
            except subprocess.TimeoutExpired:
                continue
        for thread in self._threads:
            thread.join(_KILL_TIMEOUT_S)

    def forget(self) -> None:
        """In a forked copy of this process: lets go of pipes that belong to the original."""
        self._lock, self._outbox = threading.Lock(), queue.SimpleQueue()
        self._failure = HostError('The Charmer host belongs to the process that this one is a copy of')
        # Put in the place of the pipes, not closed: what is buffered for them must not reach another file by number.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                os.dup2(nowhere, pipe.fileno(), inheritable=False)
        os.close(nowhere)

    def _greet(self, argv: list[str]) -> None:
        self.post('hello', protocol=PROTOCOL, client='remotemedia.runtime')
        try:
            self._greeting.result(_START_TIMEOUT_S)
        except Exception as error:
            self.close()
            reason = str(error) or f'it said nothing within {_START_TIMEOUT_S} seconds'
            raise HostUnavailableError(self._why_not(argv, reason)) from None

    def _why_not(self, argv: list[str], reason: str) -> str:
        problem = None if command.is_given() else command.check_node()
        if problem is not None:
            return f'Charmer does not start: {problem}'
        lines = ''.join(f'\n  | {line}' for line in self._stderr)
        return f"Charmer, started with '{' '.join(argv)}', is no host to speak with: {reason}{lines}"

    def _start(self, work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=work, name=f'remotemedia-runtime-{name}', daemon=True)
        thread.start()
        return thread

    def _read_stderr(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as pipe:
            for line in pipe:
                text = line.decode('utf-8', 'replace').rstrip()
                self._stderr.append(text)
                _log.debug('host: %s', text)

    def _write_frames(self) -> None:
        pipe = self._child.stdin
        assert pipe is not None
        try:
            for parts in iter(self._outbox.get, None):
                for part in parts:
                    pipe.write(part)
                pipe.flush()
            pipe.close()
        except (OSError, ValueError):
            # The host has ended; the end of its output says so as well, and that is where callers are told.
            pass

    def _read_frames(self) -> None:
        assert self._child.stdout is not None
        reason = ''
        try:
            with self._child.stdout as pipe:
                for message in iter(lambda: read_frame(pipe), None):
                    if message['kind'] == 'fatal':
                        reason = str(message['error'].get('message'))
                    else:
                        self._take(message)
        except Exception as error:
            reason = f'a frame cannot be read: {error}'
        self._end(reason or self._how_it_ended())

    def _how_it_ended(self) -> str:
        try:
            code = self._child.wait(_KILL_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return 'it closed its output'
        return f'signal {-code} ended it' if code < 0 else f'it ended with exit status {code}'

    def _take(self, message: dict[str, Any]) -> None:
        kind = message['kind']
        if kind in ('reply', 'failure'):
            with self._lock:
                future = self._pending.pop(message['id'], None)
            if future is None:
                return
            if kind == 'reply':
                _settle(future, message.get('value'))
            else:
                _settle(future, None, Refusal(message['error']))
        elif kind == 'hello':
            self._welcome(message)
        else:
            take = self._sessions.get(message.get('session', 0), log_event)
            take(message)

    def _welcome(self, message: dict[str, Any]) -> None:
        self.version = str(message.get('charmer', ''))
        problem = None
        if message.get('protocol') != PROTOCOL:
            problem = (
                f'Charmer {self.version} speaks protocol {message.get("protocol")}, this package {PROTOCOL}. '
                'Update the older of the two; both come with the same release'
            )
        problem = problem or command.node_too_old(str(message.get('node', '')))
        _settle(self._greeting, None, HostError(problem) if problem else None)

    def _end(self, reason: str) -> None:
        tail = ''.join(f'\n  | {line}' for line in self._stderr)
        failure = HostError(f'The Charmer host has ended: {reason}{tail}', {'code': 'HOST_CLOSED'})
        with self._lock:
            self._failure = failure
            pending, self._pending = self._pending, {}
        _settle(self._greeting, None, failure)
        for future in pending.values():
            _settle(future, None, failure)
        for take in list(self._sessions.values()):
            take({'kind': 'end', 'failure': failure})


class Refusal(Exception):
    """The facts of a failure; who asked makes the exception that fits."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts.get('message'))
        self.facts = facts


def refused(error: Refusal, make: Callable[[dict[str, Any]], Exception] = error_from) -> Exception:
    """The exception to raise for a refusal."""
    return make(error.facts)


_LEVELS = {'progress': logging.INFO, 'output': logging.INFO, 'warning': logging.WARNING, 'node-ended': logging.ERROR}


def log_event(message: dict[str, Any]) -> None:
    """What happens beside outputs goes to the logger `remotemedia.runtime`."""
    if message['kind'] != 'event':
        return
    name, event = message['name'], message.get('event') or {}
    source = event.get('node') or event.get('plugin') or 'host'
    text = event.get('message') or event.get('line') or (event.get('error') or {}).get('message') or event.get('reason')
    _log.log(_LEVELS.get(name, logging.ERROR), '%s: %s: %s', source, name, text)


def _settle(future: Future[Any], value: Any, error: Optional[BaseException] = None) -> None:
    """Sets a result once; a caller who has given up is no error."""
    try:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)
    except Exception:
        pass


_shared: Optional[Host] = None
_shared_lock = threading.Lock()


def shared_host() -> Host:
    """The host of this interpreter, started at the first call and after it has ended. Blocks while it starts."""
    global _shared
    with _shared_lock:
        if _shared is None or not _shared.is_alive:
            _shared = Host([*command.find_command(), 'serve', '--stdio'])
        return _shared


def running_host() -> Optional[Host]:
    """The host, where it has been started and lives."""
    return _shared if _shared is not None and _shared.is_alive else None


def _close_shared() -> None:
    global _shared
    host, _shared = _shared, None
    if host is not None:
        host.close()


def _forget_shared() -> None:
    global _shared, _shared_lock
    host, _shared = _shared, None
    _shared_lock = threading.Lock()
    if host is not None:
        host.forget()


atexit.register(_close_shared)
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_forget_shared)
