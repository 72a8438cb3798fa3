"""Makes a node of any constructor style, once, and sees to it that the manifest's params reach it (R60, RW7, RW21)."""

from __future__ import annotations

import os
from inspect import Parameter, isabstract, signature
from typing import Any

from .node import MultiprocessNode, NodeConfig
from .plain_node import PlainNode

# A lone required parameter of such a name wants the whole configuration.
_CONFIG_NAMES = ('config', 'cfg', 'conf', 'configuration', 'node_config', 'settings')
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def construct_node(cls: Any, config: NodeConfig, strict: bool = False) -> MultiprocessNode:
    """An instance of a registered class. What the author's constructor raises leaves as it is.

    `strict`, or `REMOTEMEDIA_STRICT_CTOR=1`, keeps to the literal order of attempts of the original.
    """
    if strict or os.environ.get('REMOTEMEDIA_STRICT_CTOR') == '1':
        node: Any = _attempts(cls, config)
        return node  # type: ignore[no-any-return]
    node = _bound(cls, config)
    if not isinstance(node, MultiprocessNode):
        if not callable(getattr(node, 'process', None)):
            raise TypeError(f"Class '{cls.__name__}' has no process() method")
        return PlainNode(node, config)
    node._complete(config)
    return node


def _bound(cls: Any, config: NodeConfig) -> Any:
    try:
        arguments, named = bind(cls, config)
    except (TypeError, ValueError):
        # No signature to be had, as with classes written in C.
        return _attempts(cls, config)
    try:
        return cls(*arguments, **named)
    except TypeError as error:
        if isabstract(cls) or _raised_by_author(error):
            raise
        return _attempts(cls, config)


def _attempts(cls: Any, config: NodeConfig) -> Any:
    try:
        return cls(config.node_id)
    except TypeError:
        try:
            return cls(config.node_id, config=config)
        except TypeError:
            return cls(config=config)


def _raised_by_author(error: BaseException) -> bool:
    """Whether any frame below our call is on the traceback."""
    traceback = error.__traceback__
    return traceback is not None and traceback.tb_next is not None


def bind(cls: Any, config: NodeConfig) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments for a constructor, by the names of its parameters."""
    parameters = list(signature(cls).parameters.values())
    params = config.params if isinstance(config.params, dict) else {}
    known = {**params, 'node_id': config.node_id, 'config': config}
    is_plain = not issubclass(cls, MultiprocessNode)
    required = [p for p in parameters if p.kind in _POSITIONAL and p.default is Parameter.empty and p.name not in known]
    if len(required) == 1:
        known[required[0].name] = config if _wants_config(required[0]) else config.node_id
    arguments: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in known or parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            arguments.append(known[parameter.name])
        else:
            named[parameter.name] = known[parameter.name]
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
        if is_plain:
            named.update({name: value for name, value in params.items() if isinstance(name, str) and name not in named})
        elif not any(parameter.kind in _POSITIONAL for parameter in parameters):
            # Nothing positional to give the id to: such a class looks for its configuration among the keywords.
            named.setdefault('config', config)
    return arguments, named


def _wants_config(parameter: Parameter) -> bool:
    annotation = parameter.annotation
    if annotation is NodeConfig or (isinstance(annotation, str) and 'NodeConfig' in annotation):
        return True
    return parameter.name in _CONFIG_NAMES
