"""Nodes for measurements: one that gives back what it is given, one with many outputs, one that never comes back."""

import time

from remotemedia.core.multiprocessing import MultiprocessNode, register_node
from remotemedia.core.multiprocessing.data import RuntimeData


class Quiet(MultiprocessNode):
    async def initialize(self):
        pass

    async def cleanup(self):
        pass


@register_node('Echo')
class Echo(Quiet):
    async def process(self, data):
        return data


@register_node('Burst')
class Burst(Quiet):
    async def process(self, data):
        for index in range(int(data.as_text())):
            yield RuntimeData.text(str(index))


@register_node('Sleeper')
class Sleeper(Quiet):
    async def process(self, data):
        time.sleep(600)
