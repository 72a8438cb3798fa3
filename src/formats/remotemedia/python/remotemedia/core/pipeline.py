"""A chain of nodes in this process, and the manifest that describes it."""

from __future__ import annotations

import json
from inspect import isawaitable, isgenerator
from typing import Any, AsyncIterator, Optional

from .exceptions import PipelineError
from .node import Node


class Pipeline:
    """Nodes in a row: what one gives out, the next takes in. Light: for tries and tests, not for production."""

    def __init__(self, nodes: Optional[list[Node]] = None, name: Optional[str] = None) -> None:
        self.name = name or type(self).__name__
        self.nodes: list[Node] = []
        for node in nodes or []:
            self.add_node(node)

    def add_node(self, node: Node) -> Pipeline:
        if not isinstance(node, Node):
            raise PipelineError(f'A pipeline holds nodes, not {type(node).__name__}')
        if self.get_node(node.name) is not None:
            raise PipelineError(f"Node '{node.name}' is there already")
        self.nodes.append(node)
        return self

    def get_node(self, name: str) -> Optional[Node]:
        return next((node for node in self.nodes if node.name == name), None)

    def to_manifest(self) -> dict[str, Any]:
        names = [node.name for node in self.nodes]
        return {
            'version': 'v1',
            'metadata': {'name': self.name},
            'nodes': [node.to_manifest() for node in self.nodes],
            'connections': [{'from': first, 'to': second} for first, second in zip(names, names[1:])],
        }

    def serialize(self) -> str:
        """The v1 manifest as JSON."""
        return json.dumps(self.to_manifest())

    async def initialize(self) -> None:
        for node in self.nodes:
            await _settled(node.initialize())

    async def cleanup(self) -> None:
        for node in self.nodes:
            await _settled(node.cleanup())

    async def process(self, data: Any) -> AsyncIterator[Any]:
        """Yields what the last node makes of one value."""
        async for value in self._through(0, data):
            yield value

    async def run(self, data: Any) -> list[Any]:
        """Starts the nodes, runs one value (or each item of a list), cleans up; all outputs in order."""
        await self.initialize()
        try:
            outputs = []
            for item in data if isinstance(data, list) else [data]:
                outputs += [value async for value in self.process(item)]
            return outputs
        finally:
            await self.cleanup()

    async def _through(self, index: int, data: Any) -> AsyncIterator[Any]:
        if index == len(self.nodes):
            yield data
            return
        async for output in _outputs_of(self.nodes[index].process(data)):
            async for value in self._through(index + 1, output):
                yield value


async def _outputs_of(result: Any) -> AsyncIterator[Any]:
    if isawaitable(result):
        result = await result
    if hasattr(result, '__aiter__'):
        async for value in result:
            yield value
    elif isgenerator(result):
        for value in result:
            yield value
    elif result is not None:
        yield result


async def _settled(result: Any) -> Any:
    return await result if isawaitable(result) else result
