"""The exec verb's child: from the fork to the command, and a report when it does not come to that."""

from __future__ import annotations

import errno
import os

from _supervisor import channels, kernel, marks
from _supervisor.lines import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any
else:
    import _signal

# Mach-O in both byte orders and both widths, and its many-architectures wrapper.
BINARY_HEADERS = (b'\x7fELF', b'\xfe\xed\xfa', b'\xce\xfa\xed\xfe', b'\xcf\xfa\xed\xfe', b'\xca\xfe\xba\xbe', b'MZ')


class LaunchFailure(Exception):
    """A step between fork and command failed: which, on what, with which error number."""

    def __init__(self, stage: str, error: BaseException, path: str = '') -> None:
        number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
        super().__init__(stage)
        self.report: dict[str, object] = {
            'stage': stage,
            'errno': number,
            'name': errno.errorcode.get(number, 'EINVAL'),
            'reason': error.strerror if isinstance(error, OSError) and error.strerror else str(error),
            'path': path,
        }


def start(request: dict[str, Any], socket_path: str) -> tuple[int, int]:
    """Forks a child that goes on as the command. Returns its pid and a descriptor that ends when the command runs;
    what can be read from it before is the report of a failure."""
    reading, writing = os.pipe()
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid != 0:
        os.close(writing)
        return pid, reading
    try:
        become(request, socket_path, parent)
    except LaunchFailure as failure:
        os.write(writing, encode(failure.report).encode('ascii'))
    except BaseException as error:
        os.write(writing, encode(LaunchFailure('prepare', error).report).encode('ascii'))
    finally:
        os._exit(127)


def become(request: dict[str, Any], socket_path: str, parent: int) -> None:
    """Turns this process into the command. Never returns; raises LaunchFailure."""
    default_signals()
    os.setsid()
    kernel.die_with_parent(_signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(127)  # the supervisor ended between the fork and the line above
    connect(request, socket_path)
    enter(request['cwd'])
    limit(request['limits'])
    marks.set_mark(request['mark'])
    execute([to_bytes(word) for word in request['argv']], environment_of(request))


def default_signals() -> None:
    """Undoes what the interpreter and the supervisor did to signals: an exec keeps what is ignored or blocked."""
    _signal.set_wakeup_fd(-1)
    for number in (_signal.SIGCHLD, _signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def connect(request: dict[str, Any], socket_path: str) -> None:
    try:
        token = bytes.fromhex(request['token'])
        channels.put_in_place(channels.connect_back(socket_path, token, request['channels']))
    except OSError as error:
        raise LaunchFailure('connect', error, socket_path)


def enter(directory: str) -> None:
    try:
        os.chdir(to_bytes(directory))
    except (OSError, ValueError) as error:
        raise LaunchFailure('cwd', error, directory)


def limit(limits: dict[str, int]) -> None:
    """Puts hard limits on this process, before any code of a plugin runs."""
    if not limits:
        return
    import resource

    wanted = (
        ('memoryMb', resource.RLIMIT_AS, 1 << 20),
        ('cpuSeconds', resource.RLIMIT_CPU, 1),
        ('files', resource.RLIMIT_NOFILE, 1),
        ('processes', resource.RLIMIT_NPROC, 1),
    )
    for name, kind, unit in wanted:
        value = limits.get(name)
        if value is not None:
            try:
                resource.setrlimit(kind, (value * unit, value * unit))
            except (OSError, ValueError) as error:
                raise LaunchFailure('limits', error, name)


def environment_of(request: dict[str, Any]) -> dict[bytes, bytes]:
    return {to_bytes(name): to_bytes(value) for name, value in request['env'].items()}


def execute(words: list[bytes], environment: dict[bytes, bytes]) -> None:
    """As `execvpe` of the C library: looked up on the PATH that the command will see; no shell, except that a text
    without a first line of its own is a shell script."""
    program = words[0] if words else b''
    failure = LaunchFailure('exec', OSError(errno.ENOENT, os.strerror(errno.ENOENT)), os.fsdecode(program))
    for path in _candidates(program, environment.get(b'PATH', os.fsencode(os.defpath))):
        try:
            os.execve(path, words, environment)
        except ValueError as error:
            raise LaunchFailure('exec', error, os.fsdecode(program))
        except OSError as error:
            if error.errno == errno.ENOEXEC and not _is_binary(path):
                os.execve(b'/bin/sh', [b'/bin/sh', path, *words[1:]], environment)
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                raise LaunchFailure('exec', error, os.fsdecode(path))
            # A file that may not be run is told only when no later directory holds one that may.
            if error.errno == errno.EACCES or (error.errno == errno.ENOENT and os.path.lexists(path)):
                failure = LaunchFailure('exec', error, os.fsdecode(path))
    raise failure


def _candidates(program: bytes, search_path: bytes) -> list[bytes]:
    if not program:
        return []
    if b'/' in program:
        return [program]
    return [os.path.join(directory or b'.', program) for directory in search_path.split(b':')]


def _is_binary(path: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        head = os.read(descriptor, 4)
    finally:
        os.close(descriptor)
    return head.startswith(BINARY_HEADERS)


def to_bytes(text: str) -> bytes:
    """Text of the host as the bytes that a process sees; what UTF-8 cannot carry becomes a question mark."""
    try:
        return text.encode('utf-8', 'surrogateescape')
    except UnicodeEncodeError:
        return text.encode('utf-8', 'replace')
