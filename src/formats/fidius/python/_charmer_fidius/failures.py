"""What goes wrong in a Fidius package, as the failures that the host sees: refusals to load and exceptions of calls."""

from __future__ import annotations

import os

from _charmer.dialect import Failure

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

UNPRINTABLE = '<unprintable Python exception>'
# Top-level modules whose frames lead up to the plugin's first one.
OWN_ROOTS = ('__main__', '_charmer', 'asyncio', 'importlib')
OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__))


def refusal(code: str, text: str, details: dict[str, Any], **fields: Any) -> Failure:
    """A failure of the host's own; ``details.text`` keeps the original wording."""
    return Failure(code, text[0].upper() + text[1:], details={**details, 'text': text}, **fields)


def import_refusal(name: str, reason: str, error: BaseException, kind: str = 'ImportFailed') -> Failure:
    details: dict[str, Any] = {'kind': kind, 'module': name, 'exception': class_name(error), 'reason': text_of(error)}
    sdk = sdk_error_class()
    if sdk is not None and isinstance(error, sdk):
        described = describe_sdk_error(error)
        details['pluginError'] = {'code': described.plugin_code, 'message': described.message}
        if described.details is not None:
            details['pluginError']['details'] = described.details
    return refusal(
        'IMPORT_FAILED', f"entry module '{name}' import failed: {reason}", details, traceback=frames_of(error)
    )


def describe(error: BaseException) -> Failure:
    """What an exception of the plugin is to the host."""
    if isinstance(error, Failure):
        return error
    sdk = sdk_error_class()
    if sdk is not None and isinstance(error, sdk):
        return describe_sdk_error(error)
    details = {'traceback': frames_of(error)}
    return Failure('PLUGIN_RAISED', text_of(error), plugin_code=class_name(error), details=details)


def describe_sdk_error(error: Any) -> Failure:
    code = getattr(error, 'code', None)
    message = getattr(error, 'message', None)
    return Failure(
        'PLUGIN_RAISED',
        message if isinstance(message, str) else text_of(error),
        plugin_code=code if isinstance(code, str) else 'PluginError',
        details=json_details(getattr(error, 'details', None)),
    )


def json_details(details: Any) -> Any:
    """Details as JSON holds them, keys as text; nothing where it cannot (7.7)."""
    if details is None:
        return None
    try:
        import json

        return json.loads(json.dumps(details))
    except Exception:
        return None


def sdk_error_class() -> Any:
    """The error class of whatever ``fidius`` the plugin sees; looked up when an error happens (7.7)."""
    try:
        import fidius

        found = fidius.PluginError
    except BaseException:
        return None
    return found if isinstance(found, type) else None


def class_name(error: BaseException) -> str:
    try:
        return str(type(error).__name__)
    except BaseException:
        return 'UNKNOWN_PYTHON_ERROR'


def text_of(error: BaseException) -> str:
    try:
        text = str(error)
        text.encode('utf-8')
    except BaseException:
        return UNPRINTABLE
    return text


def frames_of(error: BaseException) -> str:
    """The frames of the plugin without header and last line (7.7); the runner's own frames are left out."""
    frames = error.__traceback__
    while frames is not None and is_own_frame(frames.tb_frame):
        frames = frames.tb_next
    if frames is None:
        return ''
    import traceback

    return ''.join(traceback.format_tb(frames))


def is_own_frame(frame: Any) -> bool:
    if os.path.dirname(frame.f_code.co_filename) == OWN_DIRECTORY:
        return True
    root = str(frame.f_globals.get('__name__', '')).partition('.')[0]
    return root in OWN_ROOTS
