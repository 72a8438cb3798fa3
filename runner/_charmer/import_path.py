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

        site.addsitedir(_site_packages_of(packages['directory']))
    if packages['kind'] == 'base' or packages.get('seesBase'):
        import site

        site.main()
    else:
        _set_interactive_names()
    sys.path[0:0] = message.get('importFirst') or ()
    sys.path.extend(message.get('importLast') or ())


def _site_packages_of(directory: str) -> str:
    """The directory of packages of an environment, whether its root or that directory itself is named."""
    from posix import stat

    try:
        stat(f'{directory}/pyvenv.cfg')
    except OSError:
        return directory
    return f'{directory}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages'


def _set_interactive_names() -> None:
    """Names that `site` adds and scripts rely on."""
    import builtins
    from _sitebuiltins import Quitter, _Helper

    builtins.exit = Quitter('exit', 'Ctrl-D (i.e. EOF)')
    builtins.quit = Quitter('quit', 'Ctrl-D (i.e. EOF)')
    builtins.help = _Helper()
