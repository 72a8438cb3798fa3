"""Run with: python3 -m unittest"""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

MAIN = Path(__file__).with_name('main.py')


def call(envelope: dict[str, Any]) -> Any:
    """What a host sees: one process, one envelope in, one out."""
    run = subprocess.run([sys.executable, str(MAIN)], input=json.dumps(envelope), capture_output=True, text=True)
    return json.loads(run.stdout)


class MovieByName(unittest.TestCase):
    def test_finds_a_film_by_its_title(self) -> None:
        reply = call({'action': 'movieByName', 'input': {'title': 'Blade Runner'}})
        self.assertEqual(reply['result']['releaseDate'], '1982-06-25')

    def test_says_no_to_an_action_that_it_does_not_have(self) -> None:
        self.assertFalse(call({'action': 'bookByName', 'input': {}})['ok'])


if __name__ == '__main__':
    unittest.main()
