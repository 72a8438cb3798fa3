"""Where the host's program is, and why it cannot be started when it cannot."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Optional

from .errors import HostUnavailableError

# Oldest Node that Charmer runs on.
_MIN_NODE = (20, 19)
_VERSION_TIMEOUT_S = 10
_VARIABLE = 'CHARMER_COMMAND'


def find_command() -> list[str]:
    """The command that starts Charmer: `CHARMER_COMMAND`, else the program beside this file, else `charmer` on PATH.

    HostUnavailableError says what is missing.
    """
    given = os.environ.get(_VARIABLE, '').strip()
    if given:
        return shlex.split(given, posix=os.name != 'nt')
    root = package_root()
    if root is not None:
        program = root / 'dist' / 'cli' / 'main.js'
        if not program.is_file():
            raise HostUnavailableError(
                f"Charmer is not built: there is no '{program}'. Run 'npm run build' in '{root}'."
            )
        return [_find_node(), str(program)]
    installed = shutil.which('charmer')
    if installed is None:
        raise HostUnavailableError(
            'remotemedia.runtime needs the program charmer, which is neither beside this package nor on PATH. '
            f"Install it with 'npm install -g charmer', or say in the variable {_VARIABLE} how to start it."
        )
    return [installed]


def is_given() -> bool:
    """Whether the environment says how to start Charmer; what Node that uses is then not known here."""
    return bool(os.environ.get(_VARIABLE, '').strip())


def package_root() -> Optional[Path]:
    """The npm package that this file belongs to; None for a copy of it elsewhere."""
    for directory in Path(__file__).resolve().parents:
        manifest = directory / 'package.json'
        try:
            if json.loads(manifest.read_text(encoding='utf-8')).get('name') == 'charmer':
                return directory
        except (OSError, ValueError, AttributeError):
            continue
    return None


def check_node() -> Optional[str]:
    """What is wrong with the Node on PATH, in words; None when nothing is."""
    try:
        node = _find_node()
    except HostUnavailableError as error:
        return str(error)
    try:
        answer = subprocess.run([node, '--version'], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        return f"'{node}' does not start: {error}"
    return node_too_old(answer.stdout.strip().lstrip('v'), node)


def node_too_old(version: str, node: str = 'node') -> Optional[str]:
    """Why a Node of this version does not do; None when it does."""
    wanted = '.'.join(str(number) for number in _MIN_NODE)
    try:
        numbers = tuple(int(part) for part in version.split('.')[:2])
    except ValueError:
        return f"'{node}' gives no version number but '{version[:80]}', Node {wanted} or later is expected"
    if numbers >= _MIN_NODE:
        return None
    return f"'{node}' is Node {version}, Charmer needs {wanted} or later. Install a newer one from https://nodejs.org."


def _find_node() -> str:
    node = shutil.which('node')
    if node is None:
        wanted = '.'.join(str(number) for number in _MIN_NODE)
        raise HostUnavailableError(
            f'remotemedia.runtime runs pipelines in Node.js, and there is no node on PATH. '
            f'Install Node {wanted} or later from https://nodejs.org, '
            f'or say in the variable {_VARIABLE} how to start Charmer.'
        )
    return node
