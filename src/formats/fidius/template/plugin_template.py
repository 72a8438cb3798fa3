"""Says hello. Hosts call the functions marked with `@method`; `interface.rs` is the interface they belong to."""

from __future__ import annotations

from fidius import PluginError, method

# Written by `charmer hash --interface interface.rs`: hosts refuse a package whose hash is not theirs.
__interface_hash__ = 0xD66A33343F4B2077


@method
def greet(name: str) -> str:
    if not name:
        raise PluginError('EMPTY_NAME', 'name must not be empty')
    return f'Hello, {name}!'
