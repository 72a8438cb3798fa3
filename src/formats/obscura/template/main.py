"""One JSON envelope on standard input, one on standard output. A fresh process for every call."""

from __future__ import annotations

import json
import sys
from typing import Any, Optional

FILMS = {'blade runner': {'title': 'Blade Runner', 'releaseDate': '1982-06-25'}}


def answer(envelope: dict[str, Any]) -> dict[str, Any]:
    if envelope['action'] != 'movieByName':
        return {'ok': False, 'error': f'unknown action {envelope["action"]!r}'}
    if 'batch' in envelope:
        rows = [{'id': item['id'], 'result': find(item['input'])} for item in envelope['batch']]
        return {'ok': True, 'results': rows}
    return {'ok': True, 'result': find(envelope.get('input', {}))}


def find(film: dict[str, Any]) -> Optional[dict[str, Any]]:
    """The film of that title, or None: nothing found is no error."""
    return FILMS.get((film.get('title') or film.get('name') or '').lower())


if __name__ == '__main__':
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
