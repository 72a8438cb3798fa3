"""Makes a sentence of what a glossary says."""

from fidius import method


@method
def sentence(entry: dict) -> str:
    term = entry['term']
    article = 'An' if term[0] in 'aeiou' else 'A'
    return f'{article} {term} is {entry["meaning"]}.'
