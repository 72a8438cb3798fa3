"""What a dialect may ask of the host. Every method may be called from any thread."""

from __future__ import annotations

from .dialect import HostError
from .messages import ASK, EVENT
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .service import Service


class WireHost:
    """The host as seen through the wire: `Host` of the dialect contract."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._last_id = 0
        self._is_opening = True
        self._warnings: list[str] = []
        self._facts: dict[str, Any] = {}

    def event(self, type: str, **fields: Any) -> None:
        flags, parts = encode({'type': type, **fields}, 'event')
        call = self._service.current_call()
        self._service.send_now(EVENT, flags, call.id if call is not None else 0, parts)

    def warn(self, text: str) -> None:
        if self._is_opening:
            self._warnings.append(text)
        else:
            self.event('warning', message=text)

    def fact(self, name: str, value: Any) -> None:
        self._facts[name] = value

    def ask(self, question: Any) -> Any:
        settled: list[tuple[HostError | None, Any]] = []
        self._send_question(question, lambda error, value: settled.append((error, value)))
        self._service.wait(lambda: bool(settled))
        if not settled:
            raise HostError('The host has closed the conversation', 'HOST_CLOSED')
        error, value = settled[0]
        if error is not None:
            raise error
        return value

    async def ask_async(self, question: Any) -> Any:
        future = self._service.driver_of_loop().loop.create_future()

        def settle(error: HostError | None, value: Any) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)

        self._send_question(question, settle)
        return await future

    def opened(self, operations: Any) -> dict[str, Any]:
        """What the host is told once the plugin is ready. From now on warnings are events."""
        self._service.operations = [operation['name'] for operation in operations]
        self._is_opening = False
        return {'operations': list(operations), 'warnings': self._warnings, 'facts': self._facts}

    def _send_question(self, question: Any, settle: Callable[[HostError | None, Any], None]) -> None:
        service = self._service
        flags, parts = encode(question, 'question')
        self._last_id = self._last_id % 0xFFFFFFFE + 2
        while self._last_id in service.answers:
            self._last_id = self._last_id % 0xFFFFFFFE + 2
        service.answers[self._last_id] = settle
        service.send_now(ASK, flags, self._last_id, parts)
