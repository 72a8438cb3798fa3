"""From a copy of the fork server to a process that its script cannot tell from a fresh one.

Every promise made here is a row of `docs/reference/fresh-process.md` and a test that runs one script both ways.
"""

from __future__ import annotations

import errno
import os
import sys

from _supervisor import launch
from _supervisor.program import Program, load_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any
else:
    import _signal

# A memory limit counts what the server has loaded; where that would leave too little, a process of its own is fairer.
SMALLEST_MEMORY_SHARE = 4


class Base:
    """The interpreter as it was at its start, before anything was imported ahead."""

    def __init__(self, modules_at_start: frozenset[str]) -> None:
        self._modules_at_start = modules_at_start
        self._path = list(sys.path)
        # What the interpreter itself put into its environment, for example the LC_CTYPE of a coerced locale.
        self._added = _added_variables()
        self._preloaded: dict[str, str] = {}

    def note_preloads(self) -> None:
        """Notes which top-level names now hide what a script might find under them in a file of its own."""
        for name in set(sys.modules) - self._modules_at_start:
            origin = getattr(sys.modules[name], '__file__', None)
            if '.' not in name and name != '_supervisor' and origin:
                self._preloaded[name] = origin

    def become(self, order: dict[str, Any]) -> Program:
        """Makes everything that an exec would have made. Raises LaunchFailure."""
        launch.enter(order['cwd'])
        words: list[str] = order['argv']
        script = words[1 + order['flags']]
        script_directory = os.path.dirname(os.path.realpath(script))
        environment = launch.environment_of(order)
        before = _python_path(environment)
        own = [script_directory] if _sees_script_directory() else []
        self._refuse_shadows(before, [*own, *order['importFirst']])
        program = load_program(script)
        _refuse_tight_memory(order['limits'])
        launch.limit(order['limits'])
        self._set_environment(environment)
        self._set_path(script_directory, before)
        sys.argv = words[1 + order['flags'] :]
        if sys.version_info >= (3, 10):
            sys.orig_argv = words
        if order['stdin'] == 'null':
            _read_nothing()
        _renew_library_state()
        return program

    def rehearse(self) -> None:
        """Goes through a whole call without consequences, while nobody waits."""
        environment = {name: value for name, value in os.environ.items() if os.fsencode(name) not in self._added}
        script = os.path.join(os.path.dirname(__file__), 'rehearsal.py')
        words = [sys.executable, script]
        order = {
            'argv': words,
            'flags': 0,
            'cwd': '/',
            'env': environment,
            'limits': {},
            'stdin': 'pipe',
            'importFirst': [],
        }
        self.become(order).rehearse()

    def _set_environment(self, wanted: dict[bytes, bytes]) -> None:
        had_zone = os.environb.get(b'TZ')
        os.environ.clear()
        for name, value in wanted.items():
            os.environb[name] = value
        for name, value in self._added.items():
            os.environb.setdefault(name, value)
        if wanted.get(b'TZ') != had_zone:
            import time

            time.tzset()

    def _set_path(self, script_directory: str, before: list[str]) -> None:
        path: list[str] = []
        for entry in before:
            if entry not in path:
                path.append(entry)
        path += [entry for entry in self._path if entry not in path]
        if _sees_script_directory():
            path.insert(0, script_directory)
        sys.path[:] = path

    def _refuse_shadows(self, python_path: list[str], script_directory: list[str]) -> None:
        """A module next to the script comes before the library's of the same name: it must not be loaded already."""
        for directory in (*script_directory, *python_path):
            try:
                names = os.listdir(directory)
            except OSError:
                continue
            for name in names:
                top = name.partition('.')[0]
                if top in ('sitecustomize', 'usercustomize') and directory in python_path:
                    raise fallback(f"'{name}' is on PYTHONPATH")
                origin = self._preloaded.get(top)
                if origin is not None and not _is_from(origin, directory) and _is_importable(directory, name):
                    raise fallback(f"'{name}' in '{directory}' comes before the module '{top}' that was loaded ahead")


def fallback(reason: str) -> launch.LaunchFailure:
    """A copy cannot be what an exec would be."""
    return launch.LaunchFailure('fallback', OSError(errno.ENOTSUP, reason))


def reset_signals() -> None:
    """Signals as the interpreter sets them at its start."""
    launch.default_signals()
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_IGN)


def _python_path(environment: dict[bytes, bytes]) -> list[str]:
    """The entries of PYTHONPATH as `site` leaves them: absolute, an empty one the working directory."""
    text = environment.get(b'PYTHONPATH', b'')
    if not text or sys.flags.ignore_environment:
        return []
    entries = os.fsdecode(text).split(os.pathsep)
    return entries if sys.flags.no_site else [os.path.abspath(entry) for entry in entries]


def _sees_script_directory() -> bool:
    return not sys.flags.isolated and not getattr(sys.flags, 'safe_path', False)


def _is_from(origin: str, directory: str) -> bool:
    """Whether a loaded module is the very one that the directory holds, be it a file or a package."""
    parent = os.path.dirname(origin)
    return directory in (parent, os.path.dirname(parent))


def _is_importable(directory: str, name: str) -> bool:
    """A module or a package; a directory without code of its own hides nothing."""
    if name.endswith(('.py', '.pyc', '.so')):
        return True
    return any(os.path.exists(os.path.join(directory, name, code)) for code in ('__init__.py', '__init__.pyc'))


def _added_variables() -> dict[bytes, bytes]:
    try:
        with open('/proc/self/environ', 'rb') as file:
            given = {pair.partition(b'=')[0] for pair in file.read().split(b'\0')}
    except OSError:
        return {}
    return {name: value for name, value in os.environb.items() if name not in given}


def _refuse_tight_memory(limits: dict[str, int]) -> None:
    if limits.get('memoryMb') is None:
        return
    try:
        with open('/proc/self/statm', 'rb') as file:
            used = int(file.read().split()[0]) * os.sysconf('SC_PAGE_SIZE')
    except OSError:
        return
    if used * SMALLEST_MEMORY_SHARE > limits['memoryMb'] << 20:
        raise fallback('the memory limit leaves too little beside what was loaded ahead')


def _read_nothing() -> None:
    """Standard input as the interpreter makes it of the null device: the copy's was made of a socket."""
    import _io

    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.close(null)
    old = sys.__stdin__
    if not isinstance(old, _io.TextIOWrapper):
        return
    buffer = open(0, 'rb', closefd=False)  # noqa: SIM115
    buffer.raw.name = '<stdin>'  # type: ignore[attr-defined]
    stream = _io.TextIOWrapper(buffer, old.encoding, old.errors, '\n')
    stream.mode = 'r'  # type: ignore[misc]
    sys.stdin = sys.__stdin__ = stream  # type: ignore[misc]


def _renew_library_state() -> None:
    """What libraries take from their surroundings at import, where they were imported in other ones.

    `random` renews itself after a fork; the hash seed cannot be renewed.
    """
    numeric = sys.modules.get('numpy.random')
    if numeric is not None:
        numeric.seed()
    processes = sys.modules.get('multiprocessing.process')
    if processes is not None:
        processes.ORIGINAL_DIR = os.getcwd()  # type: ignore[attr-defined]
        configuration = processes.current_process()._config
        configuration['authkey'] = processes.AuthenticationString(os.urandom(32))
