"""Starts, watches and ends the processes of one Charmer host.

The host starts this program once, as `python -I -S charmer_supervisor.py SOCKET`, and talks with it in lines of JSON:
it reads requests on descriptor 3 and writes replies and events on descriptor 4.

    → {"id": 1, "verb": "exec", "argv": [...], "cwd": "...", "env": {...}, "token": "<32 hex digits>",
       "channels": [1, 2], "limits": {...}, "mark": 7}
    ← {"id": 1, "pid": 4711}                                       the command runs
    ← {"id": 1, "error": {"stage": "exec", "errno": 2, ...}}       it never ran; no exit follows
    → {"id": 2, "verb": "signal", "pid": 4711, "mark": 7, "signal": 15, "group": true}
    ← {"id": 2, "delivered": true}
    ← {"event": "exit", "id": 1, "code": 3, "signal": null, "durationMs": ..., "cpuMs": ..., "peakMemoryBytes": ...}
    → {"id": 3, "verb": "adopt", "pid": 4712, "mark": 8}           a child of a fork server that has ended
    ← {"id": 3, "pid": 4712}                                       its exit will be told, or is told next

Every child connects back to SOCKET once per channel, says its token and the channel's number (which is the descriptor
that the connection becomes), and only then runs the command. When descriptor 3 ends, whatever the host's fate, every
descendant is killed: those in sessions of their own and those that ignore SIGTERM too.

As `python [flags] charmer_supervisor.py --server SOCKET [MODULE…]` the same program is a fork server: it imports the
modules, and has one verb more, `fork`, for which see `_supervisor/fork_server.py`.
"""

import sys

MODULES_AT_START = frozenset(sys.modules)
DIRECTORY = __file__.rpartition('/')[0]

# Where the interpreter put the script's directory itself, its place belongs to another script's directory later.
if sys.path[:1] == [DIRECTORY]:
    del sys.path[0]
sys.path.insert(0, DIRECTORY)
from _supervisor.supervisor import main  # noqa: E402

del sys.path[0]

if __name__ == '__main__':
    outcome = main(sys.argv[1:], MODULES_AT_START)
    if isinstance(outcome, int):
        sys.exit(outcome)
    outcome.program.run(outcome.control)
