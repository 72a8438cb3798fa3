"""The end of a script, as the interpreter ends: same status, same words, same order, a twentieth of the time."""

from __future__ import annotations

import gc
import os
import resource
import sys

from _supervisor import kernel
from _supervisor.lines import write_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from types import TracebackType
    from typing import Any
else:
    import _signal

# What the interpreter exits with when it cannot write out what is left in a buffer.
FLUSH_FAILED = 120
INTERRUPTED = -1


def report_exception(error: BaseException) -> int:
    """Says what ended the script, by `sys.excepthook`; the status that follows."""
    if isinstance(error, SystemExit):
        return _status_of(error)
    # The first frame is our caller's, which a fresh process does not have.
    trace = _beyond(error.__traceback__)
    error = error.with_traceback(trace)
    kind = type(error)
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(kind, error, trace)
    except SystemExit as stop:
        return _status_of(stop)
    except BaseException as failure:
        _write_error('Error in sys.excepthook:\n')
        beyond = _beyond(failure.__traceback__)
        sys.__excepthook__(type(failure), failure.with_traceback(beyond), beyond)
        _write_error('\nOriginal exception was:\n')
        sys.__excepthook__(kind, error, trace)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _beyond(trace: TracebackType | None) -> TracebackType | None:
    return None if trace is None else trace.tb_next


def end(status: int, namespace: dict[str, Any], modules: frozenset[str], control: int) -> None:
    """Ends this process, and says so on `control` unless that is negative. Never returns."""
    _wait_for_threads()
    _run_exit_hooks()
    has_flushed = _flush_standard_streams()
    if kernel.count_threads() == 1:
        _tear_down(namespace, modules)
    _flush_open_files()
    has_flushed = has_flushed and _flush_standard_streams()
    kernel.flush_c_streams()
    if status == INTERRUPTED:
        # As the interpreter does, so that whoever waits sees the signal.
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        os.kill(os.getpid(), _signal.SIGINT)
    code = (status if has_flushed else FLUSH_FAILED) & 0xFF
    _tell_end(code, control)
    os._exit(code)


def _tell_end(code: int, control: int) -> None:
    """Lets the host go on while the kernel takes the memory apart, which takes longer than the call did."""
    for descriptor in (0, 1, 2):
        try:
            os.close(descriptor)
        except OSError:
            pass
    if control < 0:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = usage.ru_utime + usage.ru_stime + children.ru_utime + children.ru_stime
    peak = usage.ru_maxrss * (1 if sys.platform == 'darwin' else 1024)
    try:
        write_line(control, {'code': code, 'cpuMs': seconds * 1000, 'peakMemoryBytes': peak})
    except OSError:
        # The script closed it: the exit event will do.
        pass


def rehearse(namespace: dict[str, Any]) -> None:
    """The steps of an end that leave everything as it is."""
    _flush_standard_streams()
    kernel.count_threads()
    _tear_down(namespace, frozenset(sys.modules))
    _flush_open_files()
    resource.getrusage(resource.RUSAGE_CHILDREN)


def _status_of(stop: SystemExit) -> int:
    code = stop.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    _write_error(str(code) + '\n')
    return 1


def _wait_for_threads() -> None:
    threading = sys.modules.get('threading')
    if threading is not None:
        try:
            threading._shutdown()
        except BaseException as error:
            _tell_ignored(threading, 'threading shutdown', error)


def _run_exit_hooks() -> None:
    import atexit

    try:
        atexit._run_exitfuncs()
    except BaseException:
        # It has been printed, and the interpreter forgets it too.
        pass


def _tear_down(namespace: dict[str, Any], modules: frozenset[str]) -> None:
    """Lets go of all that the script made, so that finalizers run and files are written, in the interpreter's order.

    What was there before the script is left alone: that is what the time goes into.
    """
    gc.collect()
    own = [sys.modules[name] for name in reversed(list(sys.modules)) if name not in modules]
    for name in [name for name in sys.modules if name not in modules]:
        del sys.modules[name]
    _clear(namespace)
    gc.collect()
    for module in own:
        values = getattr(module, '__dict__', None)
        if isinstance(values, dict):
            _clear(values)
    del own
    gc.collect()


def _clear(values: dict[str, Any]) -> None:
    """Names with one underscore first, then the others but `__builtins__`: as for any module at the end."""
    for name in list(values):
        if name.startswith('_') and not name.startswith('__'):
            values[name] = None
    for name in list(values):
        if not name.startswith('_') or (name.startswith('__') and name != '__builtins__'):
            values[name] = None


def _flush_open_files() -> None:
    """Writers that something still holds, for example a thread that goes on running."""
    import _io

    for thing in gc.get_objects():
        if type(thing) in (_io.TextIOWrapper, _io.BufferedWriter, _io.BufferedRandom):
            try:
                if not thing.closed:
                    thing.flush()
            except BaseException:
                pass


def _flush_standard_streams() -> bool:
    """False when something could not be written, which is told as the interpreter tells it."""
    is_whole = True
    stdout, stderr = sys.stdout, sys.stderr
    try:
        if stdout is not None and not stdout.closed:
            stdout.flush()
    except BaseException as error:
        _tell_ignored(stdout, 'flushing sys.stdout', error)
        is_whole = False
    try:
        if stderr is not None and not stderr.closed:
            stderr.flush()
    except BaseException:
        is_whole = False
    return is_whole


def _tell_ignored(thing: object, step: str, error: BaseException) -> None:
    """In the words of the version: of the object until 3.12, of the step since."""
    where = f'on {step}' if sys.version_info >= (3, 13) else f'in: {thing!r}'
    _write_error(f'Exception ignored {where}{":" if sys.version_info >= (3, 13) else ""}\n')
    sys.__excepthook__(type(error), error.with_traceback(None), None)


def _write_error(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BaseException:
        pass
