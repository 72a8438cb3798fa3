"""What scripts do, in small: copies run it while nobody waits, so that the memory it touches is theirs already.

A page of the server's memory is copied at the first write, and even reading an object writes its reference count.
"""

import json
import sys


class Request:
    """Stands for the classes of a script."""

    def __init__(self, fields: dict[str, object]) -> None:
        self.fields = fields

    def answer(self) -> dict[str, object]:
        """Stands for its work."""
        items = [f'{key}={value!r}' for key, value in sorted(self.fields.items()) if value is not None]
        return {'result': ', '.join(items), 'count': len(items), **self.fields}


def main() -> None:
    """Stands for a call: a document in, a document out, a failure caught."""
    request = Request(json.loads('{"action": "x", "input": {"a": [1, 2.5, true, null, "\\u00e9"]}, "auth": {}}'))
    text = json.dumps(request.answer(), ensure_ascii=False, indent=1)
    try:
        int(text.encode('utf-8').decode('utf-8').strip())
    except ValueError as error:
        str(error)
    sys.stdout.write('')
    sys.stdout.flush()
    sys.stderr.flush()


if __name__ == '__main__':
    main()
