"""What plugin code may import: site-packages as granted, then the plugin's own directories before and behind."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def prepare_import_path(message: dict[str, Any]) -> None:
    """Sets up `sys.path` from an open message. The interpreter was started with `-I -S`."""
    packages = message.get('sitePackages') or {'kind': 'none'}
    if packages['kind'] == 'environment':
        import site

        version = '.'.join(map(str, sys.version_info[:2]))
        site.addsitedir(f'{packages["directory"]}/lib/python{version}/site-packages')
    if packages['kind'] == 'base' or packages.get('seesBase'):
        import site

        site.main()
    else:
        _set_interactive_names()
    sys.path[0:0] = message.get('importFirst') or ()
    sys.path.extend(message.get('importLast') or ())


def _set_interactive_names() -> None:
    """Names that `site` adds and scripts rely on."""
    import builtins
    from _sitebuiltins import Quitter, _Helper

    builtins.exit, builtins.quit = (Quitter(name, 'Ctrl-D (i.e. EOF)') for name in ('exit', 'quit'))
    builtins.help = _Helper()
