import { findInterpreter } from '../provision/interpreter.ts';
import { defaultCacheDir } from './host-options.ts';

/** Which Python is looked for. */
export interface FindPythonOptions {
  /** A path, or a command on PATH: only this one is tried. @default the first suitable one */
  readonly path?: string | undefined;
  /** Where answers are remembered. @default as for a host */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The absolute path of the interpreter that a host would run plugins on, looked for with this process's environment.
 *
 * @throws ProvisionError `PYTHON_NOT_FOUND`, `PYTHON_TOO_OLD`
 */
export async function findPython(options: FindPythonOptions = {}): Promise<string> {
  const { path, cacheDir = defaultCacheDir(), signal } = options;
  return (await findInterpreter({ env: process.env, cacheDir, path, signal })).path;
}
