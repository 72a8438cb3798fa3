"""The wire between a host and a runner.

A frame is twelve bytes, little-endian, and a payload: `u32 payload length, u8 kind, u8 flags, u16 slot, u32 id`. Both
sides say hello first. The host opens a dialect and is told its operations; a call names one by its slot. The call's id
goes with everything that belongs to it: the result or failure or end that settles it, the items of its stream in either
direction, the credit that allows them, its events, its cancel. Host ids are odd, runner ids even; id 0 belongs to no
call. Items are sent only on credit: so many items, so many payload bytes, and a side with any of both left may send one
item of any size. Descriptors of the runner: 3 frames in, 4 frames out, 5 control frames in, 6 dumps out as text, each
ended by a zero byte. A cancel goes both ways in, by 3 for its place among the frames and by 5 for a busy runner. A call
that ended because it was cancelled is settled by an end. A pong of id 0 says that finished frames may wait behind
plugin code that has been quick; a ping by 5 gets them. Unknown kinds are errors; unknown fields are ignored.
"""

from __future__ import annotations

PROTOCOL = 1
RUNNER = '0.1.0'
HEADER = '<IBBHI'
HEADER_BYTES = 12

# The kinds of frames: the number of a kind is its place from 1.
HELLO, OPEN, OPENED, CALL, RESULT, FAILURE, ITEM, END, CREDIT, CANCEL, ASK, ANSWER, EVENT, PING, PONG, CLOSE, DUMP = (
    range(1, 18)
)

# The JSON uses one-key objects whose key starts with `$` as tags; user keys that start with `$` are doubled.
TAGGED = 1
# The payload is `u32 n, n times u32 length, u32 JSON length, JSON`, then the attachments back to back.
ATTACHED = 2
# The payload is the bytes value itself. With ATTACHED: a raw call whose arguments are JSON all the same.
RAW = 4
# The payload is a JSON array of several items that were ready together.
BATCH = 8
# In a call: the answer is a stream.
STREAMING = 16
# In a call: the payload is `{"args": [...], "options": {...}}` instead of the arguments alone.
OPTIONS = 32

# Credit a receiver gives at the start of a stream: items, and payload bytes.
WINDOW_ITEMS = 16
WINDOW_BYTES = 4 << 20
# Largest number of items that credit grows to while the consumer waits for the producer.
WINDOW_ITEMS_LIMIT = 1024
MAX_FRAME_BYTES = 256 << 20
