"""Packs a directory with Python's own tarfile and bz2: DIRECTORY OUTPUT."""

import os
import sys
import tarfile

directory, output = sys.argv[1:]
with tarfile.open(output, 'w:bz2', compresslevel=9) as archive:
    for name in sorted(os.listdir(directory)):
        archive.add(os.path.join(directory, name), f'tree-1.0.0/{name}')
