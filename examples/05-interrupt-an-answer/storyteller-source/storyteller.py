# /// script
# requires-python = ">=3.9"
# dependencies = ["inflection>=0.5"]
# ///
"""Stands for a large model: it loads layer by layer, speaks word by word, and can be interrupted.

Its one dependency is declared three times, as heavy plugins do: in plugin.toml for the host, in the decorator for the
runner, and above for `uv run`. It is installed once.
"""

import asyncio

import inflection

from remotemedia.core.multiprocessing import MultiprocessNode, python_requires, register_node
from remotemedia.core.multiprocessing.data import RuntimeData
from remotemedia.rpc import rpc

# Ends every answer, interrupted or not, so that a consumer knows where the next one begins.
TEXT_END = '<|text_end|>'


@register_node('Storyteller')
@python_requires(['inflection>=0.5'])
class Storyteller(MultiprocessNode):
    """Params: `layers` (5) to load, `layer_seconds` (0.1) for each, `word_seconds` (0.02) between words."""

    async def initialize(self):
        layers = self.config.get('layers', 5)
        for layer in range(1, layers + 1):
            self.publish_progress('loading_model', f'{inflection.ordinalize(layer)} of {layers} layers')
            await asyncio.sleep(self.config.get('layer_seconds', 0.1))
        self.is_interrupted = False

    @rpc
    async def barge_in(self):
        """The listener speaks: the answer under way stops at its next word."""
        self.is_interrupted = True

    async def process(self, data):
        self.is_interrupted = False
        question = data.as_text()
        words = 3 if question.endswith('?') else 10_000
        for number in range(1, words + 1):
            if self.is_interrupted:
                break
            yield RuntimeData.text(f'{inflection.ordinalize(number)} word about {inflection.titleize(question)}')
            await asyncio.sleep(self.config.get('word_seconds', 0.02))
        yield RuntimeData.text(TEXT_END)

    async def cleanup(self):
        pass
