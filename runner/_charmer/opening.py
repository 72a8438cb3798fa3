"""Hello and open: what is said before the first call."""

from __future__ import annotations

import sys

from . import messages as m
from .calls import Call
from .dialect import Failure
from .host import WireHost
from .import_path import prepare_import_path
from .values import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .service import Service

_CAPABILITIES = ('batch', 'cancel', 'dump', 'nested', 'options', 'raw')


def hello_payload() -> list[bytes]:
    """What the runner says first."""
    from posix import getpid

    python = '.'.join(map(str, sys.version_info[:3]))
    hello = {
        'protocol': m.PROTOCOL,
        'runner': m.RUNNER,
        'python': python,
        'pid': getpid(),
        'capabilities': _CAPABILITIES,
    }
    return encode(hello, 'hello')[1]


def greet(service: Service, payload: memoryview) -> None:
    """Hears the host's hello."""
    hello = decode(payload)
    protocol = hello.get('protocol')
    if protocol != m.PROTOCOL:
        side = 'runner' if isinstance(protocol, int) and protocol > m.PROTOCOL else 'host'
        raise Failure(
            'VERSION_MISMATCH',
            f'Host speaks protocol {protocol} and the runner speaks {m.PROTOCOL}: update the {side}',
        )
    limit = hello.get('maxFrameBytes')
    if isinstance(limit, int):
        service.limit_frames(limit)


def open_dialect(service: Service, identity: int, message: dict[str, Any]) -> None:
    """Loads the dialect, lets it import the plugin, answers with its operations."""
    call = Call(identity, 0)
    service.calls[identity] = call
    host = WireHost(service)
    service.active = call
    try:
        prepare_import_path(message)
        service.dialect_path = path = message['dialect']
        service.dialect = dialect = _load(path).create()
        if dialect.uses_event_loop:
            service.driver_of_loop().is_permanent = True
        operations = dialect.open(message.get('opening') or {}, host)
        service.active = None
        if hasattr(operations, '__await__'):
            driver = service.driver_of_loop()
            driver.start_opening(call, operations, lambda value: _answer(service, call, host, value))
            return
        _answer(service, call, host, operations)
    except BaseException as error:
        service.active = None
        fail_opening(service, call, error)


def fail_opening(service: Service, call: Call, error: BaseException) -> None:
    """Says why the plugin could not be opened."""
    from .failures import import_failure_of, payload_of
    from .service import leave_fork

    if service.writer.is_foreign:
        leave_fork(error)
    service.calls.pop(call.id, None)
    if call.cancelled:
        service.writer.put(m.END, 0, 0, call.id)
        return
    flags, parts = payload_of(import_failure_of(error, service.dialect, service.dialect_path))
    service.writer.put(m.FAILURE, flags, 0, call.id, *parts)


def _answer(service: Service, call: Call, host: WireHost, operations: Any) -> None:
    service.operations = [operation['name'] for operation in operations]
    opened = {'operations': list(operations), 'warnings': host.warnings, 'facts': host.facts}
    flags, parts = encode(opened, 'opened')
    host.is_opening = False
    service.calls.pop(call.id, None)
    service.writer.put(m.OPENED, flags, 0, call.id, *parts)


def _load(path: str) -> Any:
    from importlib.machinery import ModuleSpec, SourceFileLoader

    name = '_charmer_dialect'
    loader = SourceFileLoader(name, path)
    module = type(sys)(name)
    spec = ModuleSpec(name, loader, origin=path)
    spec.has_location = True
    module.__spec__ = spec
    module.__loader__ = loader
    module.__file__ = path
    sys.modules[name] = module
    loader.exec_module(module)
    return module
