"""Exceptions of plugins as failures, and failures as payloads. Imported at the first failure."""

from __future__ import annotations

from traceback import StackSummary, TracebackException

from .dialect import Failure
from .values import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RUNNER_DIRECTORY = __file__.rpartition('/')[0]


def failure_of(error: BaseException, dialect: Any, dialect_path: str, *, is_opening: bool) -> Failure:
    """What the host is told of an exception: the dialect's account, or the class, the message and the traceback."""
    if isinstance(error, Failure):
        return error
    describe = getattr(dialect, 'describe', None)
    failure = None
    if describe is not None:
        try:
            failure = describe(error)
        except Exception as other:
            error = other
    name, message, code = type(error).__name__, message_of(error), 'PLUGIN_RAISED'
    if isinstance(failure, Failure) and not (is_opening and failure.code == code):
        if failure.traceback is None and failure.code == code:
            failure.traceback = format_error(error, dialect_path)
        return failure
    if is_opening:
        code = 'IMPORT_FAILED'
        message = f"Plugin raised '{name}' " + (f'while it was opened: {message}' if message else 'at opening')
    return Failure(code, message, plugin_code=name, traceback=format_error(error, dialect_path))


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


def _strip(report: TracebackException | None, dialect_path: str, seen: set[int]) -> None:
    if report is None or id(report) in seen:
        return
    seen.add(id(report))
    frames = [frame for frame in report.stack if not _is_ours(frame.filename, dialect_path)]
    report.stack = StackSummary.from_list(frames)
    for other in (report.__cause__, report.__context__, *(getattr(report, 'exceptions', None) or ())):
        _strip(other, dialect_path, seen)


def _is_ours(filename: str, dialect_path: str) -> bool:
    return filename.rpartition('/')[0] == _RUNNER_DIRECTORY or filename == dialect_path


def payload_of(failure: Failure) -> tuple[int, list[bytes]]:
    """Flags and the parts of the payload of a failure frame."""
    plain = {'code': failure.code, 'message': failure.message}
    for name, text in (('pluginCode', failure.plugin_code), ('traceback', failure.traceback)):
        if text is not None:
            plain[name] = text
    details = {} if failure.details is None else {'details': failure.details}
    try:
        return encode({**failure.fields, **plain, **details}, 'failure')
    except Failure as refusal:
        return encode({**plain, 'details': {'unencodable': refusal.message}}, 'failure')
