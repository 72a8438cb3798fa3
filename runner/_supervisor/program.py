"""A script as `__main__`: its code, its run, and an end as the interpreter's own."""

from __future__ import annotations

import errno
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader

from _supervisor import ending, launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any


class Program:
    """The code of a script and the module that it runs in."""

    def __init__(self, code: CodeType, path: str) -> None:
        self._code = code
        self._path = path

    def run(self, control: int) -> None:
        """Runs the script to its end, and the process to its own, which is told on `control`. Never returns."""
        pid = os.getpid()
        namespace = self._main_module()
        modules = frozenset(sys.modules)
        error: BaseException | None = None
        try:
            exec(self._code, namespace)
        except BaseException as caught:
            error = caught
        # Told outside of the handler: a failure of the script's own hook has nothing to do with ours.
        status = 0 if error is None else ending.report_exception(error)
        del error
        # A child that the script forked comes by here as well, but its end is nobody's business.
        ending.end(status, namespace, modules, control if os.getpid() == pid else -1)

    def rehearse(self) -> None:
        """Runs the script and lets go of what it made; the process goes on."""
        namespace = self._main_module()
        exec(self._code, namespace)
        ending.rehearse(namespace)

    def _main_module(self) -> dict[str, Any]:
        module = type(sys)('__main__')
        sys.modules['__main__'] = module
        namespace = module.__dict__
        namespace.update(
            __file__=self._path,
            __builtins__=sys.modules['builtins'],
            __cached__=None,
            __loader__=SourceFileLoader('__main__', self._path),
        )
        if sys.version_info < (3, 14):
            namespace['__annotations__'] = {}
        return namespace


def load_program(script: str) -> Program:
    """The code of a script, from the byte-code cache when the script is still the same, byte for byte.

    Scripts that only an exec can run raise LaunchFailure with the stage `fallback`.
    """
    path = os.path.abspath(script)
    try:
        descriptor = os.open(script, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            source = _read_all(descriptor, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise launch.LaunchFailure('fallback', error, script)
    cached = _cache_file(path)
    code = _read_cache(cached, path, source)
    if code is None:
        try:
            code = compile(source, path, 'exec', 0, True)
        except (SyntaxError, ValueError) as error:
            # The interpreter's own words for what it cannot read depend on how it reads.
            raise launch.LaunchFailure(
                'fallback', OSError(errno.ENOEXEC, f'the script does not compile: {error}'), script
            )
        if cached and not sys.dont_write_bytecode:
            _write_cache(cached, _header(path, source) + marshal.dumps(code))
    return Program(code, path)


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size + 1)
    while len(data) > size or (data and size == 0):
        more = os.read(descriptor, 1 << 20)
        if not more:
            break
        data += more
    return data


def _cache_file(path: str) -> str:
    """Where the code of a script is kept: under the interpreter's own byte-code directory, or nowhere."""
    if sys.pycache_prefix is None:
        return ''
    import _imp

    name = _imp.source_hash(int.from_bytes(MAGIC_NUMBER, 'little'), os.fsencode(path)).hex()
    return os.path.join(sys.pycache_prefix, f'main-{sys.implementation.cache_tag}-{sys.flags.optimize}', name)


def _header(path: str, source: bytes) -> bytes:
    """Everything that the code depends on, to be compared whole: no digest can mistake one script for another."""
    name = os.fsencode(path)
    sizes = len(name).to_bytes(4, 'little') + len(source).to_bytes(8, 'little')
    return bytes(MAGIC_NUMBER) + sizes + name + source


def _read_cache(cached: str, path: str, source: bytes) -> CodeType | None:
    if not cached:
        return None
    try:
        descriptor = os.open(cached, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = _read_all(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    header = _header(path, source)
    if not data.startswith(header):
        return None
    try:
        code = marshal.loads(memoryview(data)[len(header) :])
    except (EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, type(_header.__code__)) else None


def _write_cache(cached: str, data: bytes) -> None:
    aside = f'{cached}.{os.getpid()}'
    try:
        os.makedirs(os.path.dirname(cached), mode=0o700, exist_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        os.replace(aside, cached)
    except OSError:
        # A full or read-only disk costs time, not the call.
        pass
