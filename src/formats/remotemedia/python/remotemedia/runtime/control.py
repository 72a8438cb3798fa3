"""The control bus of a session: taps, publishes, intercepts, node states and the methods of nodes."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from enum import IntEnum
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Generator, Optional, Union

from ..control.data import Data
from ..control.errors import RpcError, SessionNotFoundError
from .errors import control_error_from
from .host import Host, Refusal, refused
from .marshal import float_array, marshal_in, marshal_out

if TYPE_CHECKING:
    from .session import StreamingSession

INTERCEPT_DEADLINE_MS = 50


class NodeState(IntEnum):
    """What the bus makes of a node: it works, hands inputs on unchanged, or drops them."""

    ENABLED = 1
    BYPASS = 2
    DISABLED = 3


class Started:
    """A request that is on its way already; awaiting it gives its answer or raises its error."""

    def __init__(self, host: Host, kind: str, fields: dict[str, Any]) -> None:
        self._host = host
        self._number, self._future = host.begin(kind, fields)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        try:
            return await self._host.answer(self._number, self._future)
        except Refusal as error:
            raise refused(error, control_error_from) from None


class AttachedSession:
    """A client of a session's control bus. Any attribute that is no member is the node of that id."""

    def __init__(self, session: StreamingSession, attach_id: str = 'python-inproc') -> None:
        if session.is_closed:
            raise SessionNotFoundError(f"Session '{session.session_id}' is closed")
        self.session_id = session.session_id
        self.attach_id = attach_id
        self._session = session
        self._held: list[_Held] = []

    def subscribe(self, address: str) -> Subscription:
        """Listens at `<node>.out[.port]`. Use it with `await`, `async with` or `async for`.

        ControlAddressError, UnknownNodeError when it is first waited for.
        """
        tap = Subscription(self, 'subscribe', {'address': address})
        self._held.append(tap)
        return tap

    def publish(self, address: str, data: Any) -> Started:
        """Speaks to `<node>.in[.port]`: a `Data`, or any value that `send_input` takes. Never waits for the node."""
        return self._start('publish', address=address, data=_sent(data))

    def intercept(self, address: str, deadline_ms: float = INTERCEPT_DEADLINE_MS) -> InterceptSession:
        """Decides about values at an address, each within the deadline; then the original passes."""
        intercept = InterceptSession(self, 'intercept', {'address': address, 'deadline_ms': deadline_ms})
        self._held.append(intercept)
        return intercept

    def set_node_state(self, node_id: str, state: Union[NodeState, int, str]) -> Started:
        """From the node's next input on."""
        known = NodeState[state.upper()] if isinstance(state, str) else NodeState(state)
        return self._start('state', node=node_id, state=known.name.lower())

    def clear_node_state(self, node_id: str) -> Started:
        """The node works again."""
        return self.set_node_state(node_id, NodeState.ENABLED)

    def cancel_turn(self, node_id: str) -> Started:
        """Ends a node's running turn; done when the next one can begin."""
        return self._start('cancel_turn', node=node_id)

    def node(self, node_id: str) -> NodeProxy:
        """The published methods of a node."""
        return NodeProxy(self, node_id)

    def __getattr__(self, name: str) -> NodeProxy:
        if name.startswith('_'):
            raise AttributeError(name)
        return self.node(name)

    async def close(self) -> None:
        """Closes this client's taps and intercepts, not the session. Idempotent."""
        held, self._held = self._held, []
        for each in held:
            await each.close()

    async def __aenter__(self) -> AttachedSession:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def _start(self, kind: str, **fields: Any) -> Started:
        session = self._session
        if session.is_closed:
            raise SessionNotFoundError(f"Session '{self.session_id}' is closed, so its control bus is gone")
        return Started(session._host, kind, {'session': session._number, 'attach': self.attach_id, **fields})


class _Held:
    """Something on the host that values are taken from, one by one. It is asked for at once, not when first awaited."""

    def __init__(self, control: AttachedSession, kind: str, fields: dict[str, Any]) -> None:
        self.address: str = fields.get('address', '')
        self._control = control
        self._opening = control._start(kind, **fields)
        self._handle: Optional[int] = None
        # The request for the next value, kept when its taker gives up: what it brings is for whoever comes next.
        self._taking: Optional[Future[Any]] = None
        self._turn = asyncio.Lock()
        self._is_closed = False

    def __await__(self) -> Generator[Any, None, Any]:
        return self._opened().__await__()

    async def __aenter__(self) -> Any:
        return await self._opened()

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._opened()
        except Exception:
            # What was refused holds nothing.
            return
        self._control._session._host.post('release', handle=self._handle)

    async def _opened(self) -> Any:
        if self._handle is None:
            self._handle = (await self._opening)['handle']
        return self

    async def _next(self) -> Optional[dict[str, Any]]:
        """The next step, or None at the end."""
        await self._opened()
        async with self._turn:
            if self._is_closed:
                return None
            if self._taking is None:
                _, self._taking = self._control._session._host.begin('next', {'handle': self._handle})
            try:
                step: dict[str, Any] = await asyncio.shield(asyncio.wrap_future(self._taking))
            except Refusal as error:
                self._taking = None
                raise refused(error, control_error_from) from None
            self._taking = None
        return None if step.get('done') else step


class Subscription(_Held):
    """A tap. None marks a place where values were lost because the reader lagged."""

    async def recv(self) -> Optional[Data]:
        """The next value. SessionNotFoundError when the tap or the session is closed."""
        step = await self._next()
        if step is None:
            raise SessionNotFoundError(f"The subscription of '{self.address}' is closed")
        return None if step.get('lagged') else _received(step['value'])

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Optional[Data]:
        step = await self._next()
        if step is None:
            raise StopAsyncIteration
        return None if step.get('lagged') else _received(step['value'])


class InterceptRequest:
    """A value that waits for a decision. Each decision tells whether it came in time."""

    def __init__(self, intercept: InterceptSession, value: dict[str, Any]) -> None:
        self._intercept = intercept
        self.correlation_id: int = value['correlation_id']
        self.data = _received(value['data'])

    def pass_through(self) -> Started:
        """The value goes on."""
        return self._intercept._decide(self.correlation_id, 'pass')

    def replace(self, data: Any) -> Started:
        """Another value goes on in its place."""
        return self._intercept._decide(self.correlation_id, 'replace', data=_sent(data))

    def drop(self) -> Started:
        """Nothing goes on."""
        return self._intercept._decide(self.correlation_id, 'drop')


class InterceptSession(_Held):
    """An intercept, until it is closed; then everything passes."""

    async def recv(self) -> Optional[InterceptRequest]:
        """The next value to decide about; None when closed."""
        step = await self._next()
        return None if step is None else InterceptRequest(self, step['value'])

    def __aiter__(self) -> InterceptSession:
        return self

    async def __anext__(self) -> InterceptRequest:
        request = await self.recv()
        if request is None:
            raise StopAsyncIteration
        return request

    def _decide(self, correlation_id: int, decision: str, **fields: Any) -> Started:
        given = {'handle': self._handle, 'correlation_id': correlation_id, 'decision': decision, **fields}
        return Started(self._control._session._host, 'decide', given)


class NodeProxy:
    """A node whose attributes are its published methods."""

    def __init__(self, control: AttachedSession, node_id: str) -> None:
        self._control = control
        self._node_id = node_id

    def __getattr__(self, name: str) -> RemoteMethod:
        if name.startswith('__'):
            raise AttributeError(name)
        return RemoteMethod(self._control, self._node_id, name)


class RemoteMethod:
    """A published method: calling it makes a call that can be awaited or iterated."""

    def __init__(self, control: AttachedSession, node_id: str, name: str) -> None:
        self._control, self._node_id, self._name = control, node_id, name

    def __call__(self, *args: Any, **kwargs: Any) -> DeferredCall:
        return self._call({}, args, kwargs)

    def options(
        self, *, mode: Optional[str] = None, timeout: Optional[float] = None, corr_id: Optional[str] = None
    ) -> Callable[..., DeferredCall]:
        """The same method with options: mode ff, reply or stream; `timeout` in seconds, 30 for a reply unless given."""
        options = {'mode': mode, 'timeout_ms': None if timeout is None else timeout * 1000, 'corr_id': corr_id}
        return lambda *args, **kwargs: self._call(options, args, kwargs)

    def _call(self, options: dict[str, Any], args: Any, kwargs: dict[str, Any]) -> DeferredCall:
        fields = {'node': self._node_id, 'method': self._name, 'args': list(args), 'kwargs': kwargs, **options}
        return DeferredCall(self._control, fields)


class DeferredCall:
    """A call that has not been made yet: awaiting it asks for one reply, iterating it for a stream. It is made once.

    RpcError with the author's text, RpcTimeoutError when no answer comes. Leaving a stream early cancels it.
    """

    def __init__(self, control: AttachedSession, fields: dict[str, Any]) -> None:
        self._control = control
        self._fields = fields
        self._is_used = False

    def __await__(self) -> Generator[Any, None, Any]:
        self._use()
        return self._control._start('call', **self._fields).__await__()

    def __aiter__(self) -> AsyncIterator[Any]:
        self._use()
        return self._stream()

    def _use(self) -> None:
        if self._is_used:
            raise RpcError(f"The call of '{self._fields['method']}' has been made already, each can be made once")
        self._is_used = True

    async def _stream(self) -> AsyncIterator[Any]:
        held = _Held(self._control, 'stream', self._fields)
        try:
            step = await held._next()
            while step is not None:
                yield step.get('value')
                step = await held._next()
        finally:
            # Not awaited: a generator that is thrown away is closed where nobody waits.
            if held._handle is not None:
                held._control._session._host.post('release', handle=held._handle)
            else:
                asyncio.ensure_future(held.close())


def _sent(data: Any) -> dict[str, Any]:
    if not isinstance(data, Data):
        return marshal_in(data)
    if data.kind == 'audio':
        fields = {'type': 'audio', 'samples': data.value, 'sample_rate': data.sample_rate, 'channels': data.channels}
        return marshal_in(fields)
    if data.kind == 'json':
        return {'type': 'json', 'value': data.value}
    return marshal_in({'type': data.kind, 'data': data.value}) if data.kind in ('text', 'binary') else data.value


def _received(value: dict[str, Any]) -> Data:
    kind = value['type']
    if kind == 'audio':
        return Data('audio', float_array(value['samples']), value['sample_rate'], value['channels'])
    if kind == 'json':
        return Data('json', value.get('value'))
    return Data(kind, value['data'] if kind in ('text', 'binary') else marshal_out(value))
