"""What Fidius plugins import as ``fidius`` when they bring no copy of their own.

Five names and no more: the error that carries a code, the decorator, and three views of what was decorated.
"""

from __future__ import annotations

from ._errors import PluginError
from ._registry import get_method, list_methods, method, reset_registry

__all__ = ['PluginError', 'get_method', 'list_methods', 'method', 'reset_registry']
