"""The same names under the path of the original's native flavour."""

from __future__ import annotations

from .core.multiprocessing.data import *  # noqa: F403
from .core.multiprocessing.data import __all__  # noqa: F401
