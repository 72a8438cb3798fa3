"""Pipelines run from the first input to the last output, in one call."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Optional

from .errors import TurnError
from .session import Manifest, StreamingSession, create_streaming_session


async def execute_pipeline(
    manifest_json: Manifest, enable_metrics: Optional[bool] = None, *, strict: bool = False, **options: Any
) -> Any:
    """Runs a pipeline on one empty text; see `execute_pipeline_with_input`."""
    return await execute_pipeline_with_input(manifest_json, [''], enable_metrics, strict=strict, **options)


async def execute_pipeline_with_input(
    manifest_json: Manifest,
    inputs: list[Any],
    enable_metrics: Optional[bool] = None,
    *,
    strict: bool = False,
    **options: Any,
) -> Any:
    """Runs a pipeline over all inputs and gives the list of all outputs, in the order of their arrival.

    With `strict` it is as in the original: the first input only, the first output only, and not in a list. With
    `enable_metrics` the result is `{'outputs': …, 'metrics': JSON text}`. A turn that fails raises its TurnError once
    everything else has come out; the error's `outputs` has what did. Options as of `create_streaming_session`.
    """
    chosen = inputs[:1] if strict else inputs
    async with await create_streaming_session(manifest_json, **options) as session:
        feeding = asyncio.ensure_future(_feed(session, chosen))
        try:
            outputs, failure = await _collect(session)
            await feeding
        finally:
            feeding.cancel()
        if failure is not None:
            failure.outputs = outputs
            raise failure
        result = (outputs[0] if outputs else None) if strict else outputs
        if not enable_metrics:
            return result
        return {'outputs': result, 'metrics': json.dumps({'nodes': await session.stats()})}


async def execute_pipeline_with_instances(nodes: list[Any], input: Any) -> Any:
    """Runs node instances of this process one after the other over one value, or each value of a list."""
    from ..core.pipeline import Pipeline

    return await Pipeline(nodes).run(input)


async def _feed(session: StreamingSession, inputs: list[Any]) -> None:
    try:
        for value in inputs:
            await session.send_input(value)
    finally:
        await session.signal_input_complete()


async def _collect(session: StreamingSession) -> tuple[list[Any], Optional[TurnError]]:
    outputs: list[Any] = []
    failure: Optional[TurnError] = None
    while True:
        try:
            output = await session.recv_output()
        except TurnError as error:
            failure = failure or error
            continue
        if output is None:
            return outputs, failure
        outputs.append(output[1])
