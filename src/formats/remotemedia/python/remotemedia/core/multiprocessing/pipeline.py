"""A builder of pipeline manifests that checks names as they come."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .session import SessionStatus


class Pipeline:
    """Collects nodes and connections; `to_manifest()` is what a host runs. `run()` needs `remotemedia.runtime`."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.status = SessionStatus.INITIALIZING
        self.config: dict[str, Any] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._connections: list[dict[str, Any]] = []

    def add_node(
        self,
        node_id: str,
        node_type: str,
        config: Optional[dict[str, Any]] = None,
        dependencies: Optional[list[str]] = None,
    ) -> Pipeline:
        if node_id in self._nodes:
            raise ValueError(f"Node '{node_id}' is there already")
        self._nodes[node_id] = {
            'node_id': node_id,
            'node_type': node_type,
            'config': dict(config or {}),
            'dependencies': list(dependencies or []),
        }
        return self

    def connect(self, from_node: str, to_node: str, channel_name: Optional[str] = None) -> Pipeline:
        for end in (from_node, to_node):
            if end not in self._nodes:
                raise ValueError(f"Node '{end}' is not part of pipeline '{self.id}'")
        name = channel_name or f'{from_node}_to_{to_node}'
        entry = {'from': from_node, 'to': to_node, 'channel_name': name}
        if entry in self._connections:
            raise ValueError(f"Nodes '{from_node}' and '{to_node}' are connected by '{name}' already")
        self._connections.append(entry)
        return self

    def set_config(self, **settings: Any) -> Pipeline:
        self.config.update(settings)
        return self

    def get_nodes(self) -> list[dict[str, Any]]:
        return [dict(node) for node in self._nodes.values()]

    def get_connections(self) -> list[dict[str, Any]]:
        return [dict(entry) for entry in self._connections]

    def to_manifest(self) -> dict[str, Any]:
        """A v1 manifest, with `params` where the original wrote `config` and lost it (RW30)."""
        nodes = [
            {
                'id': node['node_id'],
                'node_type': node['node_type'],
                'params': node['config'],
                **({'python_deps': node['dependencies']} if node['dependencies'] else {}),
            }
            for node in self._nodes.values()
        ]
        connections = [{'from': entry['from'], 'to': entry['to']} for entry in self._connections]
        return {'version': 'v1', 'metadata': {'name': self.id}, 'nodes': nodes, 'connections': connections}

    async def initialize(
        self, timeout_secs: float = 30.0, progress_callback: Optional[Callable[..., Any]] = None
    ) -> None:
        """Checks that there is something to run; nodes start with `run()`."""
        if not self._nodes:
            raise ValueError(f"Pipeline '{self.id}' has no nodes")
        self.status = SessionStatus.READY

    async def run(self) -> Any:
        from ..._native import execute_pipeline

        self.status = SessionStatus.RUNNING
        return await execute_pipeline(self.to_manifest())

    async def terminate(self) -> None:
        self.status = SessionStatus.TERMINATED
