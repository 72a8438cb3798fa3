"""`AudioPressureMixin`: holds text back while enough audio is queued to play, so that speech comes in larger pieces."""

from __future__ import annotations

import asyncio
from typing import Any, Optional


class AudioPressureMixin:
    """The author's constructor calls `init_audio_pressure()`; times are of the event loop's clock."""

    def init_audio_pressure(self, *, low_pressure_margin_ms: float = 500.0, coalesce_window_ms: float = 800.0) -> None:
        self._margin_s = low_pressure_margin_ms / 1000.0
        self._window_s = coalesce_window_ms / 1000.0
        self.reset_audio_pressure()

    def reset_audio_pressure(self) -> None:
        """Forgets queued audio and held text."""
        self._plays_until = 0.0
        self._held: list[str] = []
        self._held_since: Optional[float] = None

    def audio_runway_s(self) -> float:
        """Seconds of audio that are still to be played."""
        return max(0.0, self._plays_until - _now())

    def record_audio_frame(self, frame: Any) -> None:
        """Adds a frame's duration to the runway, from now or from its present end, whichever is later."""
        duration = self._audio_frame_duration_s(frame)
        if duration > 0:
            self._plays_until = max(self._plays_until, _now()) + duration

    def _audio_frame_duration_s(self, frame: Any) -> float:
        """0 unless `frame.as_audio()` gives an object with `samples` and `sample_rate`; override it for real durations.

        Kept as in the original, whose frames have no such accessor: another result would change how output is cut.
        """
        try:
            audio = frame.as_audio()
            return len(audio.samples) / float(audio.sample_rate)
        except (AttributeError, TypeError, ValueError, ZeroDivisionError):
            return 0.0

    def pressure_decide(self, text: str, *, force_drain: bool = False) -> Optional[str]:
        """Takes a piece of text; returns all that is to be spoken now, or None to wait."""
        if text:
            self._held.append(text)
            if self._held_since is None:
                self._held_since = _now()
        if not self._held or self._held_since is None:
            return None
        is_low = self.audio_runway_s() <= self._margin_s
        if force_drain or is_low or _now() - self._held_since >= self._window_s:
            joined = ''.join(self._held)
            self._held, self._held_since = [], None
            return joined
        return None

    def has_buffered_text(self) -> bool:
        return bool(self._held)


def _now() -> float:
    return asyncio.get_running_loop().time()
