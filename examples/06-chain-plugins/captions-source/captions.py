"""Cuts a text into lines that fit a screen, one output a line."""

import textwrap

from remotemedia.core.multiprocessing import MultiprocessNode, register_node
from remotemedia.core.multiprocessing.data import RuntimeData


@register_node('Captions')
class Captions(MultiprocessNode):
    """Params: `width` (32) in characters."""

    async def initialize(self):
        self.width = self.config.get('width', 32)

    async def process(self, data):
        for line in textwrap.wrap(data.as_text(), self.width):
            yield RuntimeData.text(line, channel='captions')

    async def cleanup(self):
        pass
