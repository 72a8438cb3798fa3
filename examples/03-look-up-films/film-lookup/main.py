"""Looks films up by name. One JSON envelope on standard input, one on standard output."""

import json
import os
import sys
import urllib.parse
import urllib.request

BASE = os.environ.get('TMDB_BASE_URL', 'https://api.themoviedb.org/3')


def main():
    envelope = json.load(sys.stdin)
    key = envelope.get('auth', {}).get('TMDB_API_KEY')
    if not key:
        return {'ok': False, 'error': 'TMDB_API_KEY is not set: get a key at themoviedb.org and store it for this plugin'}
    if envelope['action'] != 'movieByName':
        return {'ok': False, 'error': f'unknown action {envelope["action"]!r}'}
    if 'batch' in envelope:
        return {'ok': True, 'results': [{'id': item['id'], 'result': find(item['input'], key)} for item in envelope['batch']]}
    return {'ok': True, 'result': find(envelope.get('input', {}), key)}


def find(film, key):
    """The best match for a film, or None."""
    query = urllib.parse.urlencode({'api_key': key, 'query': film.get('title') or film.get('name') or ''})
    with urllib.request.urlopen(f'{BASE}/search/movie?{query}', timeout=10) as reply:
        found = json.load(reply)['results']
    if not found:
        return None
    best = found[0]
    return {
        'title': best['title'],
        'releaseDate': best.get('release_date'),
        'overview': best.get('overview'),
        'rating': best.get('vote_average'),
        'externalIds': {'tmdb': str(best['id'])},
    }


if __name__ == '__main__':
    json.dump(main(), sys.stdout)
