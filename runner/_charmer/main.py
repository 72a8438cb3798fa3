"""One run of the runner: claim the descriptors, say hello, serve, close."""

from __future__ import annotations

import sys

from .control import Control
from .descriptors import WireDescriptors, claim_wire, prepare_standard_streams
from .dialect import Failure
from .frames import FrameError
from .messages import FAILURE, HELLO
from .opening import hello_payload
from .service import Service, leave_fork

# Exit status of a runner that found itself or the frames it was sent at fault: EX_SOFTWARE of sysexits.h.
_INTERNAL_ERROR = 70


def main() -> int:
    """Serves the conversation on descriptors 3 to 6 and returns the exit status of the process."""
    wire = claim_wire()
    prepare_standard_streams()
    _clean_main_module()
    service = Service(wire.input, wire.output)
    control = Control(service, wire.control, wire.dumps)
    service.control = control
    _keep_out_of_forks(wire)
    service.writer.put(HELLO, 0, 0, 0, *hello_payload())
    control.install()
    try:
        service.serve()
        control.watch_exit()
        _close(service)
        return 0
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        _tell_of(service, error)
        return _INTERNAL_ERROR
    finally:
        control.uninstall()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                # Nobody reads the plugin's output any more.
                pass


def _clean_main_module() -> None:
    """Plugin code finds an empty `__main__` and no arguments."""
    sys.argv = ['']
    blank = type(sys)('__main__')
    # The old module's globals belong to functions that are still running.
    sys.modules['_charmer_main'] = sys.modules['__main__']
    sys.modules['__main__'] = blank


def _keep_out_of_forks(wire: WireDescriptors) -> None:
    from posix import close, register_at_fork

    def close_wire() -> None:
        for descriptor in (wire.input, wire.output, wire.control, wire.dumps):
            try:
                close(descriptor)
            except OSError:
                pass

    register_at_fork(after_in_child=close_wire)


def _close(service: Service) -> None:
    """Lets the plugin clean up. Its failures go to standard error: the conversation is over."""
    for call in list(service.calls.values()):
        if call.outflow is not None and call.task is None:
            service.outflows.leave(call.outflow)
    try:
        if service.driver is not None:
            service.driver.close()
        if service.dialect is not None:
            closing = service.dialect.close()
            if hasattr(closing, '__await__'):
                service.driver_of_loop().run_to_end(closing)
        service.writer.flush()
    except BaseException:
        from traceback import print_exc

        print_exc()


def _tell_of(service: Service, error: BaseException) -> None:
    if service.writer.is_foreign:
        leave_fork(error)
    from .failures import format_error, message_of, payload_of

    if isinstance(error, FrameError):
        failure = Failure(error.code, message_of(error))
    elif isinstance(error, Failure):
        failure = error
    else:
        text = f"Runner failed with '{type(error).__name__}': {message_of(error)}"
        failure = Failure('MESSAGE_UNEXPECTED', text, traceback=format_error(error, ''))
    flags, parts = payload_of(failure)
    service.writer.put(FAILURE, flags, 0, 0, *parts)
    service.writer.flush()
