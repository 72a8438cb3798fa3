"""What a node does with aux envelopes: `{"__aux_port__": port, "payload": …}` as a text frame (R68, R70).

A call is answered by envelopes on port `__reply__`, text channel `rpc`. The host of ours asks through structured calls
instead; both ways end in `rpc_values`.
"""

from __future__ import annotations

import asyncio
import json
from inspect import isawaitable
from typing import Any, AsyncIterator, Optional, Union

from ...rpc import CANCEL_SUFFIX, META_PORT, REPLY_PORT, RpcMethod, RpcMode, collect_methods
from .coercion import plain_json
from .data import RuntimeData

Dispatched = Union[bool, str]


class UnknownMethodError(LookupError):
    """A call of something that is no rpc method."""


class RpcDispatch:
    """The part of `MultiprocessNode` that knows envelopes. Names with an underscore are called by authors' tests."""

    _AUX_PORT_KEY = '__aux_port__'
    _rpc_methods: dict[str, RpcMethod] = {}
    _inflight_streams: dict[Any, Any]
    logger: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._rpc_methods = collect_methods(cls)

    @property
    def _rpc_target(self) -> Any:
        """The object that has the methods; a wrapper of a plain class answers with what it wraps."""
        return self

    def _decode_aux_blob(self, data: Any) -> Optional[dict[str, Any]]:
        """The envelope in a text frame, or None when its text is none."""
        if not isinstance(data, RuntimeData) or not data.is_text():
            return None
        text = data.as_text()
        if not text.lstrip().startswith('{') or self._AUX_PORT_KEY not in text:
            return None
        try:
            blob = json.loads(text)
        except ValueError:
            return None
        port = blob.get(self._AUX_PORT_KEY) if isinstance(blob, dict) else None
        return blob if isinstance(port, str) and port else None

    def _aux_port_of_data(self, data: Any) -> Optional[str]:
        blob = self._decode_aux_blob(data)
        return None if blob is None else blob[self._AUX_PORT_KEY]

    def _make_reply_frame(self, corr_id: Any, kind: str, data: Any = None) -> RuntimeData:
        """An envelope on `__reply__`; TypeError when the data is no JSON. An `end` has no data."""
        payload: dict[str, Any] = {'corr_id': corr_id, 'kind': kind}
        if kind != 'end':
            payload['data'] = plain_json(data)
        envelope = {self._AUX_PORT_KEY: REPLY_PORT, 'payload': payload}
        return RuntimeData.text(json.dumps(envelope, ensure_ascii=False), channel='rpc')

    async def _publish_reply(self, frame: RuntimeData) -> None:
        await self._send_output(frame)

    async def _send_output(self, data: Any) -> None:
        raise NotImplementedError

    async def _send_end_of_input(self) -> None:
        raise NotImplementedError

    def _report_error(self, error: BaseException, phase: str, **facts: Any) -> None:
        raise NotImplementedError

    def _is_call(self, blob: dict[str, Any]) -> bool:
        """Whether an envelope is a call, or a notice of one; what is none goes to `process()`."""
        port, payload = blob[self._AUX_PORT_KEY], blob.get('payload')
        if port == META_PORT or port.endswith(CANCEL_SUFFIX):
            return True
        fields = payload if isinstance(payload, dict) else {}
        if fields.get('corr_id') is not None:
            return True
        return port in self._rpc_methods and ('args' in fields or 'kwargs' in fields)

    async def _dispatch_aux_frame(self, data: Any) -> Dispatched:
        """False: not a call, `process()` takes it. True: done. `'stream'`: its own task ends it."""
        blob = self._decode_aux_blob(data)
        if blob is None or not self._is_call(blob):
            return False
        port, payload = blob[self._AUX_PORT_KEY], blob.get('payload')
        fields = payload if isinstance(payload, dict) else {}
        corr_id = fields.get('corr_id')
        if port == META_PORT:
            await self._publish_reply(self._make_reply_frame(corr_id, 'value', self._rpc_modes()))
            return True
        if port.endswith(CANCEL_SUFFIX):
            self._cancel_stream(corr_id)
            return True
        method = self._rpc_methods.get(port)
        if method is None:
            await self._publish_reply(self._make_reply_frame(corr_id, 'error', self._no_method(port)))
            return True
        args, kwargs = fields.get('args', []), fields.get('kwargs', {})
        if method.mode is RpcMode.STREAM:
            self._start_stream(method, corr_id, args, kwargs)
            return 'stream'
        await self._answer(method, corr_id, args, kwargs)
        return True

    def _rpc_modes(self) -> dict[str, str]:
        return {name: method.mode.value for name, method in self._rpc_methods.items()}

    def _no_method(self, name: str) -> str:
        return f"no @rpc method '{name}' on {type(self._rpc_target).__name__}"

    def _cancel_stream(self, corr_id: Any) -> None:
        # Taken out of the table: that tells the task who cancelled it.
        task = self._inflight_streams.pop(corr_id, None) if _hashable(corr_id) else None
        if task is not None:
            task.cancel()

    def _start_stream(self, method: RpcMethod, corr_id: Any, args: Any, kwargs: Any) -> Any:
        task = asyncio.ensure_future(self._run_stream_rpc(method, corr_id, args, kwargs))
        key = corr_id if corr_id is not None and _hashable(corr_id) else object()
        self._inflight_streams[key] = task

        def forget(done: Any) -> None:
            if self._inflight_streams.get(key) is done:
                del self._inflight_streams[key]

        task.add_done_callback(forget)
        self._stream_started(task)
        return task

    def _stream_started(self, task: Any) -> None:
        """Tells whoever waits for the call that its answer is a task of its own."""

    async def _answer(self, method: RpcMethod, corr_id: Any, args: Any, kwargs: Any) -> None:
        try:
            values = [value async for value in self.rpc_values(method.name, args, kwargs)]
            if method.mode is RpcMode.FIRE_AND_FORGET:
                return
            reply = self._make_reply_frame(corr_id, 'value', values[0])
        except Exception as error:
            if method.mode is RpcMode.FIRE_AND_FORGET:
                self.logger.exception('rpc method %s failed', method.name)
                self._report_error(error, 'rpc', method=method.name)
                return
            reply = self._make_reply_frame(corr_id, 'error', _spoken(error))
        await self._publish_reply(reply)

    async def _run_stream_rpc(self, method: RpcMethod, corr_id: Any, args: Any, kwargs: Any) -> None:
        """The whole life of one streaming call: its values, then an end or an error, then the end of the input."""
        try:
            try:
                async for value in self.rpc_values(method.name, args, kwargs):
                    await self._publish_reply(self._make_reply_frame(corr_id, 'value', value))
            except asyncio.CancelledError:
                await self._publish_reply(self._make_reply_frame(corr_id, 'end'))
            except Exception as error:
                await self._publish_reply(self._make_reply_frame(corr_id, 'error', _spoken(error)))
            else:
                await self._publish_reply(self._make_reply_frame(corr_id, 'end'))
        finally:
            await self._send_end_of_input()

    async def rpc_values(self, name: str, args: Any, kwargs: Any) -> AsyncIterator[Any]:
        """Calls an rpc method: one value of an ordinary one, all values of a stream, errors as they are."""
        method = self._rpc_methods.get(name)
        if method is None:
            raise UnknownMethodError(self._no_method(name))
        if not isinstance(args, (list, tuple)):
            raise TypeError(f'args must be a list, not {type(args).__name__}')
        function = getattr(self._rpc_target, name)
        result = function(*args, **kwargs)
        if method.mode is not RpcMode.STREAM:
            yield (await result) if isawaitable(result) else result
            return
        if not hasattr(result, '__aiter__'):
            if hasattr(result, 'close'):
                result.close()
            kind = type(result).__name__
            raise TypeError(f"'async for' requires an object with __aiter__ method, got {kind}")
        try:
            async for value in result:
                yield value
        finally:
            close = getattr(result, 'aclose', None)
            if close is not None:
                await close()


def _spoken(error: BaseException) -> str:
    return f'{type(error).__name__}: {error}'


def _hashable(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))
