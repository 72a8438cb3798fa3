"""A low-pass filter over audio of any frame size: each frame is filtered in one piece, its end rings on in the next."""

import numpy as np

from remotemedia.core.multiprocessing import MultiprocessNode, register_node
from remotemedia.core.multiprocessing.data import RuntimeData

TAPS = 101


@register_node('LowPass')
class LowPass(MultiprocessNode):
    """Params: `cutoff_hz` (1000), `gain_db` (0). Every frame leaves with its loudest frequency and its level."""

    async def initialize(self):
        self.cutoff = float(self.config.get('cutoff_hz', 1000))
        self.gain = 10 ** (float(self.config.get('gain_db', 0)) / 20)
        self.kernel = None
        self.tail = None

    async def process(self, data):
        if not data.is_audio():
            yield data
            return
        rate, channels = data.metadata.sample_rate, data.metadata.channels
        samples = data.as_numpy().reshape(-1, channels)
        if self.kernel is None:
            self.kernel = low_pass_kernel(self.cutoff / rate) * self.gain
            self.tail = np.zeros((TAPS - 1, channels))
        filtered, self.tail = convolve(samples, self.kernel, self.tail)
        out = RuntimeData.audio(filtered.astype(np.float32).ravel(), rate, channels)
        out.metadata.annotations = {**(data.metadata.annotations or {}), **facts(filtered, rate)}
        yield out

    async def cleanup(self):
        pass


def low_pass_kernel(cutoff):
    """A windowed sinc: what is above `cutoff` (a share of the sample rate) is left out."""
    at = np.arange(TAPS) - (TAPS - 1) / 2
    kernel = np.sinc(2 * cutoff * at) * np.hamming(TAPS)
    return kernel / kernel.sum()


def convolve(samples, kernel, tail):
    """One frame through the kernel by FFT, the rest of the last one added; and what rings on after it."""
    size = len(samples) + len(kernel) - 1
    spectrum = np.fft.rfft(samples, size, axis=0) * np.fft.rfft(kernel, size)[:, None]
    whole = np.fft.irfft(spectrum, size, axis=0)
    whole[: len(tail)] += tail
    return whole[: len(samples)], whole[len(samples) :]


def facts(samples, rate):
    mono = samples.mean(axis=1)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono))))
    level = np.sqrt(np.mean(mono**2))
    return {
        'peak_hz': round(float(np.argmax(spectrum) * rate / len(mono))),
        'level_db': round(float(20 * np.log10(max(level, 1e-9))), 1),
    }
