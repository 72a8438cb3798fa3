"""Bare pipe streams: for every line `N` in, the numbers below N as lines and an empty line; no protocol, no credit."""

import sys

for line in sys.stdin:
    sys.stdout.write('\n'.join(map(str, range(int(line)))) + '\n\n')
    sys.stdout.flush()
