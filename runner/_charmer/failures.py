"""Exceptions of plugins as failures, and failures as payloads. Imported at the first failure."""

from __future__ import annotations

from traceback import StackSummary, TracebackException

from .dialect import Failure
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RUNNER_DIRECTORY = __file__.rpartition('/')[0]


def failure_of(error: BaseException, dialect: Any, dialect_path: str) -> Failure:
    """What the host is told of an exception: the dialect's account, or the class, the message and the traceback."""
    if isinstance(error, Failure):
        return error
    describe = getattr(dialect, 'describe', None)
    if describe is not None:
        try:
            failure = describe(error)
        except Exception as other:
            error = other
        else:
            if isinstance(failure, Failure):
                if failure.traceback is None and failure.code == 'PLUGIN_RAISED':
                    failure.traceback = format_error(error, dialect_path)
                return failure
    return Failure(
        'PLUGIN_RAISED',
        message_of(error),
        plugin_code=type(error).__name__,
        traceback=format_error(error, dialect_path),
    )


def import_failure_of(error: BaseException, dialect: Any, dialect_path: str) -> Failure:
    """What the host is told when the plugin could not be opened."""
    if isinstance(error, Failure):
        return error
    describe = getattr(dialect, 'describe', None)
    described = describe(error) if describe is not None else None
    if isinstance(described, Failure) and described.code != 'PLUGIN_RAISED':
        return described
    name, message = type(error).__name__, message_of(error)
    return Failure(
        'IMPORT_FAILED',
        f"Plugin raised '{name}' while it was opened: {message}" if message else f"Plugin raised '{name}' at opening",
        plugin_code=name,
        traceback=format_error(error, dialect_path),
    )


def message_of(error: BaseException) -> str:
    """`str(error)`, or a placeholder where that raises."""
    try:
        return str(error)
    except Exception:
        return f'<unprintable {type(error).__name__} object>'


def format_error(error: BaseException, dialect_path: str) -> str:
    """The traceback as Python prints it, causes included, without the frames of the runner and the dialect."""
    try:
        report = TracebackException.from_exception(error)
        _strip(report, dialect_path, set())
        return ''.join(report.format())
    except Exception as other:
        return f'{type(error).__name__}: {message_of(error)}\n(no traceback: {type(other).__name__})\n'


def _strip(report: TracebackException, dialect_path: str, seen: set[int]) -> None:
    if id(report) in seen:
        return
    seen.add(id(report))
    frames = [frame for frame in report.stack if not _is_ours(frame.filename, dialect_path)]
    report.stack = StackSummary.from_list(frames)
    related = [report.__cause__, report.__context__, *(getattr(report, 'exceptions', None) or ())]
    for other in related:
        if other is not None:
            _strip(other, dialect_path, seen)


def _is_ours(filename: str, dialect_path: str) -> bool:
    return filename.rpartition('/')[0] == _RUNNER_DIRECTORY or filename == dialect_path


def payload_of(failure: Failure) -> tuple[int, list[bytes]]:
    """Flags and the parts of the payload of a failure frame."""
    message: dict[str, Any] = {**failure.fields, 'code': failure.code, 'message': failure.message}
    if failure.plugin_code is not None:
        message['pluginCode'] = failure.plugin_code
    if failure.traceback is not None:
        message['traceback'] = failure.traceback
    if failure.details is not None:
        message['details'] = failure.details
    try:
        return encode(message, 'failure')
    except Failure as refusal:
        plain = {name: message[name] for name in ('code', 'message', 'pluginCode', 'traceback') if name in message}
        plain['details'] = {'unencodable': refusal.message}
        return encode(plain, 'failure')
