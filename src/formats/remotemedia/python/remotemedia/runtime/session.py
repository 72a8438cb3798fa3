"""A running pipeline, driven from Python."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Optional, Union

from .control import AttachedSession
from .errors import HostError, ManifestError, session_error_from
from .host import Host, Refusal, log_event, refused, shared_host
from .marshal import marshal_in
from .outputs import Output, OutputQueue

_CLOSED = 'Input channel closed — send_input after signal_input_complete/close'
Manifest = Union[str, 'os.PathLike[str]', dict[str, Any]]


async def create_streaming_session(
    manifest_json: Manifest,
    *,
    base_dir: Optional[Union[str, os.PathLike[str]]] = None,
    env: Optional[dict[str, Any]] = None,
    node_timeout_ms: Optional[float] = None,
    ready_timeout_ms: Optional[float] = None,
    restart: Optional[bool] = None,
    refresh: Optional[bool] = None,
    strict: Optional[bool] = None,
) -> StreamingSession:
    """Starts a pipeline from the text of its manifest (or the manifest as a dict, or its path).

    `base_dir` is what relative plugins are relative to: the working directory unless given, or the directory of a path.
    `env` grants variables to the nodes, by name and value, or True for this process's own value.
    ManifestError (a ValueError) for a manifest that cannot be read, HostError (a RuntimeError that begins with
    `create_session failed:`) when the session does not start, HostUnavailableError when there is no host.
    """
    manifest, directory = _read_manifest(manifest_json)
    options = {
        'base_dir': str(base_dir) if base_dir is not None else directory,
        'env': env and {name: os.environ.get(name, '') if value is True else value for name, value in env.items()},
        'node_timeout_ms': node_timeout_ms,
        'ready_timeout_ms': ready_timeout_ms,
        'restart': restart,
        'refresh': refresh,
        'strict': strict,
    }
    host = await asyncio.get_running_loop().run_in_executor(None, shared_host)
    session = StreamingSession(host)
    await session._open(manifest, {name: value for name, value in options.items() if value is not None})
    return session


class StreamingSession:
    """A session. Receivers of one kind leave the others alone; a turn that failed raises in the next receiver.

    Any number of sessions may be open at once. `async with` closes, `async for` gives every output with its node.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._outputs = OutputQueue(lambda items: host.post('credit', session=self._number, items=items))
        self._number = host.attach_session(self._take)
        self._takes_input = True
        self._is_closed = False
        self._closing: Optional[asyncio.Future[None]] = None
        self.session_id = ''
        self.warnings: list[str] = []

    async def send_input(self, data: Any, *, node: Optional[str] = None, port: Optional[str] = None) -> None:
        """Sends a value to every source, to one node, or to a port of it. Returns once it was accepted.

        RuntimeError after `signal_input_complete()` or `close()`, ValueError or TypeError for what cannot be sent.
        """
        if not self._takes_input:
            raise RuntimeError(_CLOSED)
        try:
            await self._ask('send', data=marshal_in(data), node=node, port=port)
        except HostError as error:
            if error.code == 'HOST_CLOSED' and self._host.is_alive:
                raise RuntimeError(_CLOSED) from error
            raise

    async def recv_data(self) -> Any:
        """The next output that is neither audio nor video, texts as `str`; None once all has come out."""
        return _value_of(await self._outputs.next('data'))

    async def recv_audio(self) -> Any:
        """The next audio, `{'type': 'audio', 'samples', 'sample_rate', 'channels'}`; None once all has come out."""
        return _value_of(await self._outputs.next('audio'))

    async def recv_video(self) -> Any:
        """The next video frame as a dict; None once all has come out."""
        return _value_of(await self._outputs.next('video'))

    async def recv_output(self) -> Optional[tuple[str, Any]]:
        """The next output, in order across kinds: `(kind, value)` with kind audio, video or data; None at the end."""
        output = await self._outputs.next(None)
        return None if output is None else (output.stream, output.data)

    def try_recv_data(self) -> Any:
        """What `recv_data` would give now; None when it would wait, too."""
        return _value_of(self._outputs.take('data'))

    def try_recv_audio(self) -> Any:
        """What `recv_audio` would give now; None when it would wait, too."""
        return _value_of(self._outputs.take('audio'))

    def try_recv_video(self) -> Any:
        """What `recv_video` would give now; None when it would wait, too."""
        return _value_of(self._outputs.take('video'))

    def try_recv_output(self) -> Optional[tuple[str, Any]]:
        """What `recv_output` would give now; None when it would wait, too."""
        output = self._outputs.take(None)
        return None if output is None else (output.stream, output.data)

    async def signal_input_complete(self) -> None:
        """No more inputs; what is under way still comes out. Idempotent."""
        if self._takes_input:
            self._takes_input = False
            await self._ask('complete')

    def control(self, attach_id: str = 'python-inproc') -> AttachedSession:
        """A client of the control bus. SessionNotFoundError when the session is closed."""
        return AttachedSession(self, attach_id)

    async def stats(self) -> dict[str, Any]:
        """Figures of every node, by id."""
        figures: dict[str, Any] = await self._ask('stats')
        return figures

    async def close(self) -> None:
        """Ends the session within five seconds, whatever its nodes do. Idempotent, shared by all callers."""
        if self._closing is None:
            self._takes_input, self._is_closed = False, True
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def __aenter__(self) -> StreamingSession:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __aiter__(self) -> StreamingSession:
        return self

    async def __anext__(self) -> Output:
        output = await self._outputs.next(None)
        if output is None:
            raise StopAsyncIteration
        return output

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    async def _open(self, manifest: Any, options: dict[str, Any]) -> None:
        try:
            opened = await self._host.ask('open', session=self._number, manifest=manifest, options=options)
        except BaseException as error:
            self._host.detach_session(self._number)
            if isinstance(error, Refusal):
                raise refused(error, session_error_from) from None
            raise
        self.session_id, self.warnings = opened['session_id'], opened['warnings']

    async def _ask(self, kind: str, **fields: Any) -> Any:
        try:
            return await self._host.ask(kind, session=self._number, **fields)
        except Refusal as error:
            raise refused(error) from None

    async def _close(self) -> None:
        try:
            await self._ask('close')
        except HostError:
            # The host has ended, and the session with it.
            pass
        self._outputs.end()
        self._host.detach_session(self._number)

    def _take(self, message: dict[str, Any]) -> None:
        if message['kind'] == 'event':
            log_event(message)
        else:
            self._outputs.take_message(message)


def _value_of(output: Optional[Output]) -> Any:
    return None if output is None else output.data


def _read_manifest(given: Manifest) -> tuple[Any, str]:
    """What the host is sent, and what is the base of relative plugins unless the caller says otherwise."""
    if isinstance(given, dict):
        return given, os.getcwd()
    if not isinstance(given, str):
        return os.path.abspath(given), os.path.dirname(os.path.abspath(given))
    if given.lstrip('\ufeff \t\r\n').startswith('{'):
        return given, os.getcwd()
    if given.endswith('.json') and os.path.isfile(given):
        return os.path.abspath(given), os.path.dirname(os.path.abspath(given))
    try:
        json.loads(given)
    except ValueError as error:
        raise ManifestError(
            f'Failed to parse manifest: it is not JSON: {error}', {'code': 'PIPELINE_INVALID'}
        ) from None
    raise ManifestError('Failed to parse manifest: it is no object', {'code': 'PIPELINE_INVALID'})
