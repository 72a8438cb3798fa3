"""From whatever an author hands out to frames (R63), and from a frame to the plain value that plain classes take."""

from __future__ import annotations

import json
from typing import Any

from . import _arrays
from ._kinds import DataType
from .data import RuntimeData


def frames_of(value: Any) -> list[RuntimeData]:
    """The frames that one output stands for; TypeError names the type of what is none."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, RuntimeData) for item in value):
        return [item for frame in value for item in frames_of(frame)]
    return [frame_of(value)]


def frame_of(value: Any) -> RuntimeData:
    if isinstance(value, RuntimeData):
        if value.type is DataType.JSON:
            return _checked_json(value)
        return value
    if isinstance(value, str):
        return RuntimeData.text(str(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return RuntimeData.binary(value)
    if _arrays.is_ndarray(value):
        return RuntimeData.numpy(value)
    if _arrays.is_numpy_scalar(value):
        return RuntimeData.json(plain_json(value.item()))
    if isinstance(value, (bool, int, float, dict, list, tuple)):
        return RuntimeData.json(plain_json(value))
    raise TypeError(f"process() handed out an object of type '{_type_name(value)}', which is no kind of frame")


def plain_json(value: Any) -> Any:
    """A value that JSON can hold: frames in it become their plain values, numbers of NumPy become numbers.

    Raises TypeError, whose attribute `path` says where, for what cannot be written.
    """
    try:
        # The C encoder is the quickest way to find out; what it wrote is not used, since NaN must survive.
        json.dumps(value)
        return value
    except (TypeError, ValueError, RecursionError):
        return _rebuilt(value, '$', ())


def plain_value(data: RuntimeData) -> Any:
    """What a plain class is handed: text as `str`, json as its value, binary as `bytes`, other kinds as they are."""
    if data.type is DataType.TEXT:
        return data.as_text()
    if data.type is DataType.JSON:
        return data.payload
    if data.type is DataType.BINARY:
        return data.as_binary()
    return data


def _checked_json(data: RuntimeData) -> RuntimeData:
    value = plain_json(data.payload)
    if value is data.payload:
        return data
    checked = RuntimeData.json(value, data.session_id)
    checked.annotations = data.annotations
    return checked


def _rebuilt(value: Any, path: str, above: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, RuntimeData):
        if value.type in (DataType.TEXT, DataType.JSON):
            return _rebuilt(plain_value(value), path, above)
        raise _not_json(value, path)
    if _arrays.is_numpy_scalar(value):
        return _rebuilt(value.item(), path, above)
    if not isinstance(value, (dict, list, tuple)):
        raise _not_json(value, path)
    if id(value) in above:
        raise ValueError(f'Circular reference detected at {path}')
    above = (*above, id(value))
    if isinstance(value, dict):
        return {_key(key, path): _rebuilt(item, f'{path}.{key}', above) for key, item in value.items()}
    return [_rebuilt(item, f'{path}[{index}]', above) for index, item in enumerate(value)]


def _not_json(value: Any, path: str) -> TypeError:
    error = TypeError(f'Object of type {type(value).__name__} is not JSON serializable')
    error.path = path  # type: ignore[attr-defined]
    return error


def _key(key: Any, path: str) -> Any:
    if key is None or isinstance(key, (str, bool, int, float)):
        return key
    raise TypeError(f'keys must be str, int, float, bool or None, not {type(key).__name__} (at {path})')


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ in ('builtins', '__main__') else f'{kind.__module__}.{kind.__qualname__}'
