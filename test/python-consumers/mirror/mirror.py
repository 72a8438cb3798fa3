"""Nodes for consumers: one gives back what it gets, one never ends, one holds a connection while it lives."""

import socket

from remotemedia.core.multiprocessing import MultiprocessNode, RuntimeData, register_node


class Plain(MultiprocessNode):
    async def initialize(self):
        pass

    async def cleanup(self):
        pass


@register_node('Mirror')
class Mirror(Plain):
    async def process(self, data):
        yield data


@register_node('Fountain')
class Fountain(Plain):
    """`params.count` outputs of `params.size` bytes for each input; every tenth is audio where `params.mixed`."""

    async def process(self, data):
        params = self.config
        for number in range(params['count']):
            if params.get('mixed') and number % 10 == 9:
                yield RuntimeData.audio([number / 1000], 8000)
            elif params.get('size'):
                yield RuntimeData.binary(bytes(params['size']))
            else:
                yield RuntimeData.text(str(number))


@register_node('Holder')
class Holder(Plain):
    """Connects to `params.port`: whoever listens there sees when this process ends."""

    async def initialize(self):
        self.connection = socket.create_connection(('127.0.0.1', self.config['port']))

    async def process(self, data):
        yield RuntimeData.text('held')
