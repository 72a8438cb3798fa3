"""Run with: PYTHONPATH="$(charmer python-path)" python3 -m unittest"""

from __future__ import annotations

import unittest

from fidius import PluginError
from plugin_template import greet


class Greet(unittest.TestCase):
    def test_greets_by_name(self) -> None:
        self.assertEqual(greet('World'), 'Hello, World!')

    def test_refuses_an_empty_name(self) -> None:
        with self.assertRaises(PluginError):
            greet('')


if __name__ == '__main__':
    unittest.main()
