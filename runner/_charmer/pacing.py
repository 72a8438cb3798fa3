"""When finished frames are written.

A write costs more than a small call. Frames may therefore wait for others while plugin code proves quick, call after
call, item after item; a thread then writes what has waited for a millisecond, should the next one take long after all.
Before the code has proved quick, and once it was not, everything is written before plugin code runs again.
"""

from __future__ import annotations

from _thread import start_new_thread
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .frames import FrameWriter

# Plugin code that takes longer is not worth a batch, in seconds. Quick code takes a hundredth; a busy machine adds.
QUICK = 250e-6
# Runs in a row after which code counts as quick: most workers never need the thread.
_PROOF = 48
# Count of runs beyond which none are counted, and what a run that was not quick takes away.
_CERTAIN = 128
_DOUBT = 16
# A run that takes longer ends the proof at once, in seconds.
_SLOW = 5e-3
# Longest wait of a finished frame while plugin code lets other threads run, in seconds.
_TICK = 1e-3
# Ticks without anything to write after which the thread ends.
_IDLE_TICKS = 200


class Pacer:
    """Knows whether plugin code has been quick lately."""

    __slots__ = ('_count', '_has_thread', '_mark', '_writer', 'is_quick')

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer
        self._count = 0
        self._has_thread = False
        self._mark = 0.0
        self.is_quick = False

    def make_way(self) -> None:
        """Plugin code runs next: writes what is finished, unless it may wait."""
        if not self.is_quick:
            self._writer.flush()

    def begin(self) -> None:
        """Starts the clock: plugin code runs next."""
        self._mark = monotonic()

    def ran(self) -> float:
        """A piece of plugin code has run since the clock was started, here or by `begin`. Returns the time."""
        now = monotonic()
        took = now - self._mark
        if took > QUICK:
            # One short delay may be the machine's; a long one is the code's.
            self._count = 0 if took > _SLOW else max(0, self._count - _DOUBT)
            self.is_quick = self._count >= _PROOF
        elif self._count < _CERTAIN:
            self._prove()
        self._mark = now
        return now

    def _prove(self) -> None:
        self._count += 1
        if self._count >= _PROOF:
            if not self._has_thread:
                self._has_thread = True
                start_new_thread(self._write_what_waits, ())
            self.is_quick = True

    def _write_what_waits(self) -> None:
        idle = 0
        while idle < _IDLE_TICKS:
            sleep(_TICK)
            if self._writer.has_frames:
                idle = 0
                self._writer.flush()
            else:
                idle += 1
        self._count = 0
        self.is_quick = False
        self._has_thread = False
        # Whoever saw `is_quick` just before has left its frames by now.
        sleep(_TICK)
        self._writer.flush()
