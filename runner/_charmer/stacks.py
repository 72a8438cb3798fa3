"""The stacks of all threads as text, made inside a signal handler: imports nothing, reads no source file."""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator

    from .service import Service

_RUNNER_DIRECTORY = __file__.rpartition('/')[0]
_LOOP_FILES = ('/asyncio/base_events.py"', '/asyncio/events.py"', '/selectors.py"')
# Stacks deeper than this are cut in the middle.
_MAX_FRAMES = 100


def all_stacks(service: Service, interrupted: Any) -> str:
    """Every thread's stack, this one's first, most recent call last, and the stacks of waiting coroutines."""
    here = get_ident()
    names = _thread_names()
    sections = [_section('Thread', names.get(here, hex(here)), _stack_of(interrupted)) or 'Thread MainThread: idle\n']
    for identity, frame in sys._current_frames().items():
        if identity != here:
            sections.append(_section('Thread', names.get(identity, hex(identity)), _stack_of(frame)))
    if service.driver is not None:
        sections.extend(_section('Task', name, frames) for name, frames in service.driver.waiting_tasks())
    return '\n'.join(filter(None, sections))


def _section(kind: str, name: str, frames: Iterable[Any]) -> str:
    lines = [line for line in map(_line_of, frames) if line]
    # A loop that waits, or that has called the code below, is the runner's.
    while lines and any(file in lines[0] for file in _LOOP_FILES):
        del lines[0]
    if len(lines) > _MAX_FRAMES:
        half = _MAX_FRAMES // 2
        lines[half:-half] = [f'  … {len(lines) - 2 * half} more frames']
    return '\n'.join([f'{kind} {name} (most recent call last):', *lines, '']) if lines else ''


def _stack_of(frame: Any) -> Iterator[Any]:
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return reversed(frames)


def _line_of(frame: Any) -> str:
    """A frame as a traceback shows it; empty: it is the runner's own."""
    if frame is None:
        return ''
    code = frame.f_code
    filename = code.co_filename
    if filename.rpartition('/')[0] == _RUNNER_DIRECTORY or filename.endswith('/charmer_runner.py'):
        return ''
    return f'  File "{filename}", line {frame.f_lineno}, in {code.co_name}'


def _thread_names() -> dict[int, str]:
    threading = sys.modules.get('threading')
    if threading is None:
        return {get_ident(): 'MainThread'}
    return {identity: thread.name for identity, thread in list(threading._active.items())}
