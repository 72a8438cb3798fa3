"""`python -m remotemedia.core.multiprocessing` is the runner."""

from __future__ import annotations

from .runner import run

run()
