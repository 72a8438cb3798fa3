"""`Data`: a value on the control bus."""

from __future__ import annotations

from typing import Any, Optional


class Data:
    """One value with its kind: `text`, `json`, `binary` or `audio`. Made by the class methods."""

    def __init__(
        self, kind: str, value: Any, sample_rate: Optional[int] = None, channels: Optional[int] = None
    ) -> None:
        self.kind = kind
        self.value = value
        self.sample_rate = sample_rate
        self.channels = channels

    @classmethod
    def from_text(cls, text: str) -> Data:
        return cls('text', text)

    @classmethod
    def from_json(cls, value: Any) -> Data:
        return cls('json', value)

    @classmethod
    def from_bytes(cls, data: bytes) -> Data:
        return cls('binary', bytes(data))

    @classmethod
    def from_audio_numpy(cls, samples: Any, sample_rate: int, channels: int = 1) -> Data:
        """Interleaved float32 samples; TypeError for another type."""
        if getattr(getattr(samples, 'dtype', None), 'name', None) != 'float32':
            raise TypeError('Audio on the control bus is an array of float32')
        return cls('audio', samples, sample_rate, channels)

    @property
    def text(self) -> Optional[str]:
        """The text, or None for other kinds."""
        return self.value if self.kind == 'text' else None

    @property
    def text_value(self) -> str:
        """The text; TypeError for other kinds."""
        return self._of('text')  # type: ignore[no-any-return]

    @property
    def json_value(self) -> Any:
        """The value; TypeError for other kinds."""
        return self._of('json')

    def _of(self, kind: str) -> Any:
        if self.kind != kind:
            raise TypeError(f'This value is {self.kind}, not {kind}')
        return self.value

    def __repr__(self) -> str:
        return f'Data({self.kind!r}, {self.value!r})'
