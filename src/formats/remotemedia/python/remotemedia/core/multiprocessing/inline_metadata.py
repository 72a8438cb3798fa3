"""Reads the `dependencies` of a PEP 723 block (`# /// script` … `# ///`). Anything unreadable counts as none."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'')


def read_dependencies(cls: type) -> list[str]:
    """Dependencies declared in the file that defines a class."""
    module = sys.modules.get(cls.__module__)
    path = getattr(module, '__file__', None)
    if not path:
        return []
    try:
        return parse_dependencies(Path(path).read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError):
        return []


def parse_dependencies(source: str) -> list[str]:
    """Dependencies declared in a source text."""
    block = _block_of(source)
    if block is None:
        return []
    if sys.version_info >= (3, 11):
        import tomllib

        try:
            value: Any = tomllib.loads(block).get('dependencies')
        except tomllib.TOMLDecodeError:
            return []
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return _strings_of_array(block)


def _block_of(source: str) -> str | None:
    lines: list[str] | None = None
    for line in source.splitlines():
        line = line.strip()
        if lines is None:
            if line == '# /// script':
                lines = []
        elif line == '# ///':
            return '\n'.join(lines)
        elif line.startswith('#'):
            lines.append(line[2:] if line.startswith('# ') else line[1:])
        else:
            return None
    return None


def _strings_of_array(block: str) -> list[str]:
    """Below Python 3.11 there is no TOML reader: one array of strings is all that is needed of the block."""
    start = re.search(r'^\s*dependencies\s*=\s*\[', block, re.MULTILINE)
    if start is None:
        return []
    found: list[str] = []
    at = start.end()
    while at < len(block):
        if block[at] == ']':
            return found
        if block[at] == '#':
            at = block.find('\n', at)
            if at < 0:
                return []
        text = _STRING.match(block, at)
        if text is not None:
            found.append(text.group(2) if text.group(1) is None else re.sub(r'\\(["\\])', r'\1', text.group(1)))
            at = text.end()
        else:
            at += 1
    return []
