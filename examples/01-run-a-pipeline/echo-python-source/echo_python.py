"""A node that answers every text with an echo and names what it cannot echo."""

from remotemedia.core.multiprocessing import MultiprocessNode, python_requires, register_node
from remotemedia.core.multiprocessing.data import RuntimeData


@register_node('EchoPythonNode')
@python_requires([])
class EchoPythonNode(MultiprocessNode):
    async def initialize(self):
        self.logger.info('ready to echo')

    async def process(self, data):
        if data.is_text():
            yield RuntimeData.text(f'echo: {data.as_text()}')
        else:
            yield RuntimeData.text(f'<non-text:{data.data_type()}>')

    async def cleanup(self):
        pass
