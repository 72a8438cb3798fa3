"""Says what a word means. One JSON envelope on standard input, one on standard output; a fresh process per call."""

import json
import sys

WORDS = {
    'charmer': 'someone who makes snakes dance without being bitten',
    'python': 'a large snake that is not venomous',
}


def main():
    envelope = json.load(sys.stdin)
    term = envelope['input']['term']
    if term not in WORDS:
        return {'ok': False, 'error': f'the glossary has no word {term!r}'}
    return {'ok': True, 'result': {'term': term, 'meaning': WORDS[term]}}


if __name__ == '__main__':
    json.dump(main(), sys.stdout)
