"""Run with: PYTHONPATH="$(charmer python-path)" python3 -m unittest"""

from __future__ import annotations

import unittest

from plugin_template import PluginTemplateNode
from remotemedia.core.multiprocessing import NodeConfig
from remotemedia.core.multiprocessing.data import RuntimeData


class Process(unittest.IsolatedAsyncioTestCase):
    async def test_answers_a_text_in_capitals(self) -> None:
        node = PluginTemplateNode(NodeConfig('node', 'PluginTemplateNode'))
        outputs = [output async for output in node.process(RuntimeData.text('hello'))]
        self.assertEqual([output.as_text() for output in outputs], ['HELLO'])


if __name__ == '__main__':
    unittest.main()
