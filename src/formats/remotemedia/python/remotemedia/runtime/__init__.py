"""Runs RemoteMedia pipelines from any Python program: the native module of the original, by its names.

    import remotemedia.runtime as rt

    sess = await rt.create_streaming_session(open("manifest.json").read())
    await sess.send_input({"type": "text", "data": "hi"})
    print(await sess.recv_data())          # echo: hi
    await sess.close()

The pipelines run in a Charmer host: a child process (`charmer serve --stdio`, Node.js) that the first session starts,
all sessions share, and that ends with this program. Standard library only; NumPy arrays are taken where there is NumPy.
What happens beside outputs goes to the logger `remotemedia.runtime`.
"""

from __future__ import annotations

import subprocess
from typing import Any

from .. import __version__ as __version__
from .command import check_node, find_command, is_given
from .control import AttachedSession, NodeState
from .errors import HostError, HostUnavailableError, InvalidValueError, ManifestError, TurnError
from .host import running_host
from .marshal import ArrayDict, Text, audio_to_numpy, numpy_to_audio
from .outputs import Output
from .pipelines import execute_pipeline, execute_pipeline_with_input, execute_pipeline_with_instances
from .session import StreamingSession, create_streaming_session

__all__ = [
    'ArrayDict',
    'AttachedSession',
    'HostError',
    'HostUnavailableError',
    'InvalidValueError',
    'ManifestError',
    'NodeState',
    'Output',
    'StreamingSession',
    'Text',
    'TurnError',
    '__version__',
    'audio_to_numpy',
    'create_streaming_session',
    'execute_pipeline',
    'execute_pipeline_with_input',
    'execute_pipeline_with_instances',
    'get_runtime_version',
    'is_available',
    'numpy_to_audio',
]

_VERSION_TIMEOUT_S = 30
_NATIVE_ONLY = (
    'load_plugin',
    'list_loaded_plugins',
    'register_inline_node_class',
    'register_python_node_type',
    'unregister_node_type',
    'list_registered_node_types',
    'create_shared_streaming_session',
    'benchmark_pipeline',
)


def is_available() -> bool:
    """Whether a host could be started here. Starts none; what is missing is told by the error of the first session."""
    try:
        find_command()
    except HostUnavailableError:
        return False
    return is_given() or check_node() is None


def get_runtime_version() -> str:
    """The version of Charmer that runs the pipelines. HostUnavailableError when there is none."""
    host = running_host()
    if host is not None:
        return host.version
    argv = [*find_command(), '--version']
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        reason = (None if is_given() else check_node()) or str(error)
        raise HostUnavailableError(f"'{' '.join(argv)}' does not answer: {reason}") from error
    return answer.stdout.strip()


def __getattr__(name: str) -> Any:
    if name in _NATIVE_ONLY:
        raise AttributeError(
            f"'{name}' belongs to the original's native runtime; "
            "with Charmer, a pipeline's nodes come from the plugins that its manifest lists"
        )
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
