"""Says hello. The interface is one method: `fn greet(&self, name: String) -> String`."""

from fidius import PluginError, method

__interface_hash__ = 0xD66A33343F4B2077


@method
def greet(name: str) -> str:
    if not name:
        raise PluginError('EMPTY_INPUT', 'name must not be empty')
    return f'Hello, {name}!'
