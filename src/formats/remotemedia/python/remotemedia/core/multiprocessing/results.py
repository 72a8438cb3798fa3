"""Whatever `process()` gives back, as a stream of frames (R62): a value, a coroutine, a generator of either kind."""

from __future__ import annotations

from inspect import isawaitable
from types import GeneratorType
from typing import Any, AsyncIterator

from .coercion import frames_of
from .data import RuntimeData


async def outputs_of(result: Any) -> AsyncIterator[RuntimeData]:
    """Frames in order, each handed out before the author's code goes on; leaving early closes his generator."""
    if not hasattr(result, '__aiter__') and isawaitable(result):
        result = await result
    if hasattr(result, '__aiter__'):
        try:
            async for item in result:
                if type(item) is RuntimeData and item.type != 9:
                    yield item
                else:
                    for frame in frames_of(item):
                        yield frame
        finally:
            close = getattr(result, 'aclose', None)
            if close is not None:
                await close()
    elif isinstance(result, GeneratorType):
        try:
            for item in result:
                for frame in frames_of(item):
                    yield frame
        finally:
            result.close()
    else:
        for frame in frames_of(result):
            yield frame


async def settled(result: Any) -> Any:
    """Authors may write a plain function where a coroutine is meant."""
    return await result if hasattr(result, '__await__') else result
