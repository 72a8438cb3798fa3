"""The stacks of all threads as text, made inside a signal handler: imports nothing, reads no source file."""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .service import Service

_RUNNER_DIRECTORY = __file__.rpartition('/')[0]
_LOOP_FILES = ('/asyncio/base_events.py"', '/asyncio/events.py"', '/selectors.py"')
# Stacks deeper than this are cut in the middle.
_MAX_FRAMES = 100


def all_stacks(service: Service, interrupted: Any) -> str:
    """Every thread's stack, most recent call last, and the stacks of waiting coroutines."""
    parts = []
    here = get_ident()
    names = _thread_names()
    for identity, frame in sys._current_frames().items():
        title = f'Thread {names.get(identity, hex(identity))}'
        lines = _lines_of(interrupted if identity == here else frame)
        if lines or identity == here:
            parts.append((identity != here, _section(title, lines)))
    parts.sort(key=lambda part: part[0])
    sections = [text for _, text in parts]
    if service.driver is not None:
        sections.extend(_section(f'Task {name}', lines) for name, lines in service.driver.waiting_tasks())
    return '\n'.join(sections)


def _section(title: str, lines: list[str]) -> str:
    if not lines:
        return f'{title}: idle\n'
    if len(lines) > _MAX_FRAMES:
        half = _MAX_FRAMES // 2
        lines = [*lines[:half], f'  … {len(lines) - 2 * half} more frames', *lines[-half:]]
    return '\n'.join([f'{title} (most recent call last):', *lines, ''])


def _lines_of(frame: Any) -> list[str]:
    lines = []
    while frame is not None:
        line = line_of(frame)
        if line is not None:
            lines.append(line)
        frame = frame.f_back
    lines.reverse()
    # A loop that waits, or that has called the code below, is the runner's.
    while lines and any(name in lines[0] for name in _LOOP_FILES):
        del lines[0]
    return lines


def line_of(frame: Any) -> str | None:
    """A frame as a traceback shows it; None: it is the runner's own."""
    code = frame.f_code
    filename = code.co_filename
    if filename.rpartition('/')[0] == _RUNNER_DIRECTORY or filename.endswith('/charmer_runner.py'):
        return None
    return f'  File "{filename}", line {frame.f_lineno}, in {code.co_name}'


def _thread_names() -> dict[int, str]:
    threading = sys.modules.get('threading')
    if threading is None:
        return {get_ident(): 'MainThread'}
    return {identity: thread.name for identity, thread in list(threading._active.items())}
