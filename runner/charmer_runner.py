"""Starts the runner: `python -I -S -X utf8 -X pycache_prefix=DIR charmer_runner.py`, the wire on descriptors 3 to 6.

Only `_charmer` comes from this directory, which leaves `sys.path` before any plugin code is imported.
"""

import sys


def run() -> int:
    directory = __file__.rpartition('/')[0]
    sys.path.insert(0, directory)
    try:
        from _charmer.main import main
    finally:
        # Twice where the interpreter put it there as the script's directory.
        sys.path[:] = [entry for entry in sys.path if entry != directory]
    return main()


if __name__ == '__main__':
    sys.exit(run())
