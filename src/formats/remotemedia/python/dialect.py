"""RemoteMedia's half in Python: one node in this process, driven turn by turn.

Operations once a node is open; without one, the plugin's node types.

    process      server stream   (frame)                               its outputs
    aux          server stream   (port, payload)                       replies, or outputs of `process()`
    rpc          server stream   (method, args, kwargs, mode, corr_id)  {'kind': 'value', 'data': …} per value
    rpc_meta     unary           ()                                    {method: 'ff' | 'reply' | 'stream'}
    control      unary           (control message)                     None
    stats        unary           ()                                    counters of the node
    cancel_turn  unary           ()                                    whether a turn was stopped

Frames are the dicts of `remotemedia.core.multiprocessing.wire`. Events: `progress` {status, message}, `publish`
{target, port, payload}, `deps` {deps}, `error` {phase, plugin_code, message, traceback, …} for failures that no call
answers, `ended` {reason, code} when the node ends while its process goes on.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pkgutil import extend_path
from typing import Any, AsyncIterator, Callable, Optional

from _charmer.dialect import Failure

_HERE = os.path.dirname(os.path.realpath(__file__))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from remotemedia import _native  # noqa: E402
from remotemedia.core.multiprocessing import NodeConfig, registry, wire  # noqa: E402
from remotemedia.core.multiprocessing.construction import construct_node  # noqa: E402
from remotemedia.core.multiprocessing.data import RuntimeData  # noqa: E402
from remotemedia.core.multiprocessing.driver import NodeDriver  # noqa: E402
from remotemedia.core.multiprocessing.rpc_dispatch import UnknownMethodError  # noqa: E402
from remotemedia.core.multiprocessing.turns import AuthorError, NodeEnded  # noqa: E402
from remotemedia.core.multiprocessing.wire import UndecodableError  # noqa: E402

# In a copy of a fork server these packages are older than the import path, on which further parts of them may be.
for _package in ('remotemedia', 'remotemedia.core'):
    sys.modules[_package].__path__ = extend_path(sys.modules[_package].__path__, _package)

_OPERATIONS = {
    'process': 'server-stream',
    'aux': 'server-stream',
    'rpc': 'server-stream',
    'rpc_meta': 'unary',
    'control': 'unary',
    'stats': 'unary',
    'cancel_turn': 'unary',
}
_EVENTS = {'PROGRESS': 'progress', 'PUBLISH': 'publish', 'ENDED': 'ended'}


def create() -> RemoteMediaDialect:
    return RemoteMediaDialect()


class RemoteMediaDialect:
    uses_event_loop = True

    def __init__(self) -> None:
        self._driver: Optional[NodeDriver] = None
        self._host: Any = None
        self._session = ''

    async def open(self, opening: dict[str, Any], host: Any) -> list[dict[str, Any]]:
        """Imports the plugin; with `node` constructs and initialises one, and returns when it is ready."""
        self._host = host
        _native.enter_runner()
        _order_import_path(opening)
        _import_plugin(opening['entry_module'], opening.get('node_types') or [])
        node = opening.get('node')
        if node is None:
            return [{'name': name, 'kind': 'node', 'wireMode': 'typed'} for name in opening.get('node_types') or []]
        await self._open_node(opening, node)
        return [{'name': name, 'kind': kind, 'wireMode': 'typed'} for name, kind in _OPERATIONS.items()]

    async def _open_node(self, opening: dict[str, Any], asked: dict[str, Any]) -> None:
        node_type = asked['node_type']
        cls = registry._NODE_REGISTRY.get(node_type)
        if cls is None:
            raise _unregistered(opening['entry_module'], [node_type])
        self._session = asked.get('session_id') or ''
        config = NodeConfig(asked['node_id'], node_type, asked.get('params') or {}, self._session or None)
        try:
            node = construct_node(cls, config, bool(opening.get('strict_ctor')))
        except BaseException as error:
            raise _start_failure(error, 'construct', f"Constructor of '{node_type}'") from error
        self._session = self._session or node.session_id
        self._driver = NodeDriver(node, self._publish, self._report)
        try:
            await self._driver.initialize()
        except BaseException as error:
            raise _start_failure(error, 'initialize', f"initialize() of '{node_type}'") from error

    def call(self, operation: str, arguments: list[Any], call: Any) -> Any:
        driver = self._driver
        if driver is None or operation not in _OPERATIONS:
            raise Failure('OPERATION_UNKNOWN', f"Unknown operation '{operation}', expected a node to be open")
        if operation == 'process':
            return self._turn(wire.decode(arguments[0], self._session_now()), call)
        if operation == 'aux':
            return self._turn(_envelope(*arguments[:2], session=self._session_now()), call)
        if operation == 'rpc':
            return _values(driver.call(*arguments[:5]))
        if operation == 'control':
            return driver.control_message(_control(arguments[0], self._session_now()))
        if operation == 'cancel_turn':
            return driver.cancel_turn()
        return driver.node._rpc_modes() if operation == 'rpc_meta' else driver.node.get_stats()

    def describe(self, error: BaseException) -> Optional[Failure]:
        """What went wrong, in the author's words: `AuthorError` for his own exceptions."""
        if isinstance(error, UndecodableError):
            return Failure('ARGUMENT_INVALID', str(error))
        if isinstance(error, NodeEnded):
            return Failure('PLUGIN_EXITED', str(error), phase='process')
        if isinstance(error, AuthorError):
            if isinstance(error.cause, UnknownMethodError):
                return Failure('OPERATION_UNKNOWN', str(error.cause))
            return _raised(error.cause, error.phase)
        return None

    async def close(self) -> None:
        if self._driver is not None:
            await self._driver.close()

    def _session_now(self) -> str:
        """The session of an input that names none: the last that was named (R77)."""
        driver = self._driver
        return (driver.node._current_session_id if driver is not None else None) or self._session

    def _turn(self, data: RuntimeData, call: Any) -> AsyncIterator[Any]:
        driver = self._driver
        assert driver is not None
        encode: Callable[[RuntimeData], Any] = wire.encode
        session = data.session_id
        if session != self._session:

            def encode(frame: RuntimeData) -> Any:
                return {**wire.encode(frame), 'session': session}

        return driver.turn(data, encode, lambda: bool(call.cancelled))

    def _publish(self, kind: str, fields: Any) -> None:
        if kind == 'DEPS':
            self._host.event('deps', deps=fields)
        elif kind in _EVENTS:
            self._host.event(_EVENTS[kind], **fields)

    def _report(self, error: BaseException, phase: str, **facts: Any) -> None:
        failure = _raised(error, phase)
        self._host.event(
            'error',
            phase=phase,
            plugin_code=failure.plugin_code,
            message=failure.message,
            traceback=failure.traceback,
            **facts,
        )


async def _values(values: AsyncIterator[Any]) -> AsyncIterator[Any]:
    try:
        async for value in values:
            yield {'kind': 'value', 'data': value}
    finally:
        await values.aclose()  # type: ignore[attr-defined]


def _envelope(port: str, payload: Any, *, session: str) -> RuntimeData:
    import json

    text = json.dumps({'__aux_port__': port, 'payload': payload}, ensure_ascii=False)
    return wire.decode({'type': 'text', 'data': text}, session)


def _control(message: Any, session: str) -> RuntimeData:
    if not isinstance(message, dict):
        raise UndecodableError(f'A control message is an object, not {type(message).__name__}')
    return wire.decode({**message, 'type': 'control'}, session)


def _order_import_path(opening: dict[str, Any]) -> None:
    """The plugin's folder first, ours right behind: `remotemedia` itself is imported already, so it stays ours."""
    root = opening.get('module_root')
    ahead = [root] if root else []
    behind = [path for path in sys.path if path not in (root, _HERE)]
    sys.path[:] = [*ahead, _HERE, *behind]


def _import_plugin(module: str, node_types: list[str]) -> None:
    try:
        import_module(module)
    except BaseException as error:
        raise _start_failure(error, 'load', f"Module '{module}'") from error
    missing = [name for name in node_types if name not in registry._NODE_REGISTRY]
    if missing:
        raise _unregistered(module, missing)


def _unregistered(module: str, missing: list[str]) -> Failure:
    known = ', '.join(f"'{name}'" for name in sorted(registry._NODE_REGISTRY)) or 'nothing'
    wanted = ', '.join(f"'{name}'" for name in missing)
    return Failure(
        'INTERFACE_MISMATCH',
        f"Module '{module}' does not register node type {wanted}, it registered {known}",
        phase='load',
    )


def _start_failure(error: BaseException, phase: str, what: str) -> Failure:
    if isinstance(error, Failure):
        return error
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        return Failure('EXITED_BEFORE_READY', f'{what} exited with code {code} before it was ready', phase=phase)
    failure = _raised(error, phase)
    if phase != 'load':
        return failure
    name = type(error).__name__
    failure.code, failure.message = 'IMPORT_FAILED', f'{what} could not be imported: {name}: {error}'
    failure.args = (failure.message,)
    return failure


def _raised(error: BaseException, phase: str) -> Failure:
    path = getattr(error, 'path', None) if isinstance(error, TypeError) else None
    details = {'path': path} if isinstance(path, str) else None
    text = _text_of(error)
    return Failure(
        'PLUGIN_RAISED',
        text,
        plugin_code=type(error).__name__,
        details=details,
        traceback=_traceback_of(error),
        phase=phase,
    )


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f'{type(error).__name__} whose text cannot be made'


def _traceback_of(error: BaseException) -> str:
    """The author's frames, causes included; ours above them say nothing to him."""
    import traceback

    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return ''.join(traceback.format_exception(type(error), error, frames or error.__traceback__))


def _is_ours(path: str) -> bool:
    return path.startswith((_HERE, '<frozen importlib'))
