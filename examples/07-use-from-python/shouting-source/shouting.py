"""Says every text louder, and every sound too."""

from remotemedia.core.multiprocessing import MultiprocessNode, register_node
from remotemedia.core.multiprocessing.data import RuntimeData
from remotemedia.rpc import rpc


@register_node('Shout')
class Shout(MultiprocessNode):
    async def initialize(self):
        self.marks = 1

    @rpc(reply=True)
    async def set_marks(self, count):
        """How many exclamation marks; returns how many there were."""
        before, self.marks = self.marks, count
        return before

    async def process(self, data):
        if data.is_text():
            yield RuntimeData.text(data.as_text().upper() + '!' * self.marks)
        elif data.is_audio():
            samples = [max(-1.0, min(1.0, 2 * sample)) for sample in data.as_numpy()]
            yield RuntimeData.audio(samples, data.metadata.sample_rate, data.metadata.channels)
        else:
            raise TypeError(f'nobody can shout {data.data_type()} data')

    async def cleanup(self):
        pass
