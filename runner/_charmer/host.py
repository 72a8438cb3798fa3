"""What a dialect may ask of the host. Every method may be called from any thread."""

from __future__ import annotations

from .calls import Waitable
from .dialect import HostError
from .messages import ASK, EVENT
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .service import Service


class Answer(Waitable):
    """What the host answers to a question, once it is there."""

    def __init__(self) -> None:
        self.is_there = False
        self._error: HostError | None = HostError('The host has closed the conversation', 'HOST_CLOSED')
        self._value: Any = None

    def settle(self, error: HostError | None, value: Any) -> None:
        self.is_there = True
        self._error = error
        self._value = value
        self.wake()

    def value_or_error(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


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
        answer = self._send(question)
        self._service.wait(lambda: answer.is_there)
        return answer.value_or_error()

    async def ask_async(self, question: Any) -> Any:
        answer = self._send(question)
        await self._service.driver_of_loop().frames_for(answer)
        return answer.value_or_error()

    def opened(self, operations: Any) -> dict[str, Any]:
        """What the host is told once the plugin is ready. From now on warnings are events."""
        self._service.operations = [operation['name'] for operation in operations]
        self._is_opening = False
        return {'operations': list(operations), 'warnings': self._warnings, 'facts': self._facts}

    def _send(self, question: Any) -> Answer:
        service = self._service
        flags, parts = encode(question, 'question')
        identity = self._last_id % 0xFFFFFFFE + 2
        while identity in service.answers:
            identity = identity % 0xFFFFFFFE + 2
        self._last_id = identity
        service.answers[identity] = answer = Answer()
        service.send_now(ASK, flags, identity, parts)
        return answer
