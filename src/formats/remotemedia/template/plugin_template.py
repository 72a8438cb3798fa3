"""A node that answers every text in capitals, and passes on what is no text."""

from __future__ import annotations

from collections.abc import AsyncIterator

from remotemedia.core.multiprocessing import MultiprocessNode, python_requires, register_node
from remotemedia.core.multiprocessing.data import RuntimeData


@register_node('PluginTemplateNode')
@python_requires([])
class PluginTemplateNode(MultiprocessNode):
    async def initialize(self) -> None:
        """Load models here: the node is ready when this returns."""

    async def process(self, data: RuntimeData) -> AsyncIterator[RuntimeData]:
        if data.is_text():
            yield RuntimeData.text(data.as_text().upper())
        else:
            yield data

    async def cleanup(self) -> None:
        """Let go of everything here. Called always, after errors too."""
