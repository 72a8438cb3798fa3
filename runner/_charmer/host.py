"""What a dialect may ask of the host. Every method may be called from any thread."""

from __future__ import annotations

from .messages import ASK, EVENT
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .dialect import HostError
    from .service import Service


class WireHost:
    """The host as seen through the wire: `Host` of the dialect contract."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._next_id = 0
        self.is_opening = True
        self.warnings: list[str] = []
        self.facts: dict[str, Any] = {}

    def event(self, type: str, **fields: Any) -> None:
        flags, parts = encode({'type': type, **fields}, 'event')
        call = self._service.current_call()
        self._service.send_now(EVENT, flags, call.id if call is not None else 0, parts)

    def warn(self, text: str) -> None:
        if self.is_opening:
            self.warnings.append(text)
        else:
            self.event('warning', message=text)

    def fact(self, name: str, value: Any) -> None:
        self.facts[name] = value

    def ask(self, question: Any) -> Any:
        settled: list[tuple[HostError | None, Any]] = []
        self._send_question(question, lambda error, value: settled.append((error, value)))
        self._service.wait(lambda: bool(settled))
        if not settled:
            raise _host_is_gone()
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

    def _send_question(self, question: Any, settle: Any) -> None:
        service = self._service
        flags, parts = encode(question, 'question')
        while True:
            self._next_id = self._next_id % 0xFFFFFFFE + 2
            if self._next_id not in service.answers:
                break
        identity = self._next_id
        service.answers[identity] = settle
        service.send_now(ASK, flags, identity, parts)


def _host_is_gone() -> HostError:
    from .dialect import HostError

    return HostError('The host has closed the conversation', 'HOST_CLOSED')
