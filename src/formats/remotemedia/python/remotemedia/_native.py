"""What stands in for the original's native module: `remotemedia.runtime`, where it can be imported.

Inside a runner it is never imported: a node does not drive pipelines.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Optional

_in_runner = False


def enter_runner() -> None:
    """From now on `remotemedia.runtime` is None in this process."""
    global _in_runner
    _in_runner = True


def try_load_rust_runtime() -> tuple[bool, Any, Optional[BaseException]]:
    """`(ok, module, error)`."""
    if _in_runner:
        return False, None, ImportError('remotemedia.runtime is not available inside a runner')
    try:
        return True, import_module('remotemedia.runtime'), None
    except Exception as error:
        return False, None, error


def runtime_module() -> Any:
    return try_load_rust_runtime()[1]


def get_rust_runtime() -> Any:
    """The runtime module, or None."""
    return runtime_module()


def is_rust_runtime_available() -> bool:
    return runtime_module() is not None


async def execute_pipeline(pipeline: Any, enable_metrics: Any = None) -> Any:
    """Runs a pipeline (a `Pipeline`, a list of nodes, a manifest as dict or text) on the runtime."""
    return await _runtime().execute_pipeline(_manifest_text(pipeline), enable_metrics)


async def execute_pipeline_with_input(pipeline: Any, inputs: list[Any], enable_metrics: Any = None) -> Any:
    """Runs a pipeline over the given inputs."""
    return await _runtime().execute_pipeline_with_input(_manifest_text(pipeline), inputs, enable_metrics)


def _runtime() -> Any:
    _, module, error = try_load_rust_runtime()
    if module is None:
        raise ImportError(f'No runtime is available to run a pipeline: {error}') from error
    return module


def _manifest_text(pipeline: Any) -> str:
    if isinstance(pipeline, str):
        return pipeline
    if hasattr(pipeline, 'serialize'):
        return str(pipeline.serialize())
    if isinstance(pipeline, list):
        from .core.pipeline import Pipeline

        return Pipeline(pipeline).serialize()
    import json

    return json.dumps(pipeline)
