"""One run of the runner: claim the descriptors, say hello, serve, close."""

from __future__ import annotations

import sys

from .control import Control
from .descriptors import claim_wire, prepare_standard_streams
from .dialect import Failure
from .forks import flush_standard_streams, keep_out_of_forks
from .messages import FAILURE, HELLO
from .opening import hello_payload
from .service import Service

# Exit status of a runner that found itself or the frames it was sent at fault: EX_SOFTWARE of sysexits.h.
_INTERNAL_ERROR = 70


def main() -> int:
    """Serves the conversation on descriptors 3 to 6 and returns the exit status of the process."""
    wire = claim_wire()
    prepare_standard_streams()
    _clean_main_module()
    service = Service(*wire[:2])
    service.control = control = Control(service, *wire[2:])
    keep_out_of_forks(service, wire)
    service.writer.put(HELLO, 0, 0, 0, hello_payload())
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
        flush_standard_streams()


def _clean_main_module() -> None:
    """Plugin code finds an empty `__main__` and no arguments."""
    sys.argv = ['']
    blank = type(sys)('__main__')
    # The old module's globals belong to functions that are still running.
    sys.modules['_charmer_main'] = sys.modules['__main__']
    sys.modules['__main__'] = blank


def _close(service: Service) -> None:
    """Lets the plugin clean up. Its failures go to standard error: the conversation is over."""
    for call in list(service.calls.values()):
        if call.outflow is not None:
            call.outflow.leave()
    try:
        if service.driver is not None:
            service.driver.close()
        if service.dialect is not None:
            closing = service.dialect.close()
            if hasattr(closing, '__await__'):
                service.driver_of_loop().loop.run_until_complete(closing)
        service.writer.flush()
    except BaseException:
        from traceback import print_exc

        print_exc()


def _tell_of(service: Service, error: BaseException) -> None:
    from .failures import format_error, message_of, payload_of

    if not isinstance(error, Failure):
        text = f"Runner failed with '{type(error).__name__}': {message_of(error)}"
        error = Failure('MESSAGE_UNEXPECTED', text, traceback=format_error(error, ''))
    flags, parts = payload_of(error)
    service.writer.put(FAILURE, flags, 0, 0, *parts)
    service.writer.flush()
