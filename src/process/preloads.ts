/** Modules that fork servers import ahead. */

/**
 * Standard modules that plugins use: together they cost a script 80 ms of imports. Each leaves no thread, no open
 * descriptor and no trace of its surroundings; `multiprocessing` and `tkinter` are left out because they do.
 */
export const STANDARD_PRELOADS: readonly string[] = [
  ...['argparse', 'ast', 'asyncio', 'base64', 'collections', 'concurrent.futures', 'contextlib', 'copy', 'csv'],
  ...['dataclasses', 'datetime', 'decimal', 'difflib', 'email.message', 'enum', 'functools', 'glob', 'gzip', 'hashlib'],
  ...['hmac', 'html.parser', 'http.client', 'http.cookiejar', 'inspect', 'io', 'itertools', 'json', 'logging', 'math'],
  ...['operator', 'os.path', 'pathlib', 'pickle', 'queue', 'random', 're', 'select', 'shlex', 'shutil', 'signal'],
  ...['socket', 'sqlite3', 'ssl', 'statistics', 'string', 'struct', 'subprocess', 'tempfile', 'textwrap', 'threading'],
  ...['time', 'traceback', 'types', 'typing', 'unicodedata', 'urllib.error', 'urllib.parse', 'urllib.request'],
  ...['uuid', 'warnings', 'xml.etree.ElementTree', 'zipfile', 'zlib'],
];

/** What the resident runner imports, ahead of its first plugin and while it serves one. */
export const RUNNER_PRELOADS: readonly string[] = ['site', '_charmer.main', '_charmer.stacks'];

/** A library with more than one of these would start threads at import, and no thread survives a fork. */
export const ONE_BLAS_THREAD: Readonly<Record<string, string>> = {
  OPENBLAS_NUM_THREADS: '1',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  BLIS_NUM_THREADS: '1',
  NUMEXPR_NUM_THREADS: '1',
  VECLIB_MAXIMUM_THREADS: '1',
};
