"""The bare pipe echo of blocks of one size: reads so many bytes into one buffer, writes them back."""

import sys

block = memoryview(bytearray(int(sys.argv[1])))
source = open(0, 'rb', buffering=0)
sink = open(1, 'wb', buffering=0)
while True:
    filled = 0
    while filled < len(block):
        count = source.readinto(block[filled:])
        if not count:
            sys.exit()
        filled += count
    sent = 0
    while sent < len(block):
        sent += sink.write(block[sent:])
