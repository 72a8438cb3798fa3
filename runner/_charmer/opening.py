"""Hello and open: what is said before the first call."""

from __future__ import annotations

import sys

from .dialect import Failure
from .host import WireHost
from .import_path import prepare_import_path
from .messages import PROTOCOL, RUNNER
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .calls import Call
    from .service import Service

_CAPABILITIES = ('batch', 'cancel', 'dump', 'nested', 'options', 'raw')


def hello_payload() -> bytes:
    """What the runner says first."""
    from posix import getpid

    python = '.'.join(map(str, sys.version_info[:3]))
    hello = {'protocol': PROTOCOL, 'runner': RUNNER, 'python': python, 'pid': getpid(), 'capabilities': _CAPABILITIES}
    return encode(hello, 'hello')[1][0]


def greet(service: Service, hello: dict[str, Any]) -> None:
    """Hears the host's hello."""
    protocol = hello.get('protocol')
    if protocol != PROTOCOL:
        side = 'runner' if isinstance(protocol, int) and protocol > PROTOCOL else 'host'
        text = f'Host speaks protocol {protocol} and the runner speaks {PROTOCOL}: update the {side}'
        raise Failure('VERSION_MISMATCH', text)
    limit = hello.get('maxFrameBytes')
    if isinstance(limit, int):
        service.reader.max_frame_bytes = limit
        service.writer.limit_frames(limit)


def open_dialect(service: Service, call: Call, message: dict[str, Any]) -> Any:
    """Loads the dialect and lets it import the plugin. Returns its operations, or a coroutine for them."""
    call.opening = host = WireHost(service)
    prepare_import_path(message)
    service.dialect_path = path = message['dialect']
    service.dialect = dialect = _load(path).create()
    if dialect.uses_event_loop:
        service.driver_of_loop().is_permanent = True
    return dialect.open(message.get('opening') or {}, host)


def _load(path: str) -> Any:
    # What `importlib.util` offers under public names, whose own imports cost 3 ms.
    from importlib._bootstrap import module_from_spec
    from importlib._bootstrap_external import spec_from_file_location

    spec: Any = spec_from_file_location('_charmer_dialect', path)
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
