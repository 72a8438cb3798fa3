"""Another name of `remotemedia.core.multiprocessing.data`, which documentation of the original mentions."""

from __future__ import annotations

from .core.multiprocessing.data import *  # noqa: F403
from .core.multiprocessing.data import __all__  # noqa: F401
