/** Which Python a plugin runs on, and where that one finds packages. */
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { ProvisionError } from '../errors.ts';
import type { PluginSpec, SitePackages } from '../plugin-spec.ts';
import { ensureEnvironment } from './environment.ts';
import { installerEnvironment } from './installer-environment.ts';
import { findInterpreter, hasVersion, type Interpreter, type InterpreterOptions } from './interpreter.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { runTool } from './run-tool.ts';
import { bringUv } from './uv.ts';

/** The outcome of the choice. */
export interface PythonChoice {
  /** Absolute path: the environment's Python where there is an environment. */
  readonly program: string;
  readonly version: string;
  readonly sitePackages: SitePackages;
  /** The host's environment, with the programs of the plugin's environment first on PATH. */
  readonly hostEnv: NodeJS.ProcessEnv;
}

/** @throws ProvisionError `PYTHON_NOT_FOUND`, `PYTHON_TOO_OLD`, `DEPENDENCIES_FAILED` */
export async function choosePython(spec: PluginSpec, options: ProvisionOptions): Promise<PythonChoice> {
  const { requirements, version, seesBaseSitePackages } = spec.python;
  const interpreter = await baseInterpreter(version, options);
  if (requirements.length === 0) {
    const sitePackages: SitePackages = { kind: seesBaseSitePackages ? 'base' : 'none' };
    return { program: interpreter.path, version: interpreter.version, sitePackages, hostEnv: options.hostEnv };
  }
  const needs = { requirements, interpreter, seesBase: seesBaseSitePackages, plugin: spec.id };
  const environment = await ensureEnvironment(needs, options);
  const path = [dirname(environment.python), options.hostEnv['PATH']].filter((part) => part !== undefined);
  return {
    program: environment.python,
    version: interpreter.version,
    sitePackages: { kind: 'environment', directory: environment.directory, seesBase: seesBaseSitePackages },
    hostEnv: { ...options.hostEnv, PATH: path.join(delimiter) },
  };
}

async function baseInterpreter(version: string | undefined, options: ProvisionOptions): Promise<Interpreter> {
  const managedDir = join(resolve(options.cacheDir), 'pythons');
  const search = { env: options.hostEnv, cacheDir: options.cacheDir, managedDir, signal: options.signal };
  if (options.interpreter !== undefined) {
    const named = await findInterpreter({ ...search, path: options.interpreter });
    // What a plugin asks for by version outranks what the host prefers: its dependencies are chosen for it.
    if (version === undefined || hasVersion(named, version)) return named;
  }
  try {
    return await findInterpreter({ ...search, version });
  } catch (error) {
    if (version === undefined || !isNotFound(error)) throw error;
    return fetchPython({ version, search, cause: error }, options);
  }
}

/** Has uv bring a Python of a version that this machine lacks. */
async function fetchPython(
  missing: { readonly version: string; readonly search: InterpreterOptions; readonly cause: ProvisionError },
  options: ProvisionOptions,
): Promise<Interpreter> {
  const { version, search, cause } = missing;
  if (options.offline === true || options.installer === 'pip') throw cause;
  const uv = await bringUv(await findInterpreter(search), options);
  if (uv === undefined) throw cause;
  options.onProgress?.({ phase: 'interpreter', message: `Fetching Python ${version}` });
  const directory = search.managedDir ?? '';
  mkdirSync(directory, { recursive: true });
  const outcome = await runTool(
    { program: uv.path, args: ['python', 'install', '--no-config', '--no-bin', version] },
    {
      env: { ...installerEnvironment(options.hostEnv), UV_PYTHON_INSTALL_DIR: directory },
      cwd: directory,
      signal: options.signal,
      onLine: (message) => options.onProgress?.({ phase: 'interpreter', message: message.trim() }),
    },
  );
  if (outcome.exitCode === 0) return findInterpreter({ ...search, version });
  const lines = outcome.stderr.split('\n').filter((line) => line.trim() !== '');
  throw new ProvisionError('PYTHON_NOT_FOUND', `Python '${version}' is not on this machine and uv could not fetch it`, {
    hint: cause.hint,
    stderrTail: lines,
    details: cause.details,
    cause,
  });
}

function isNotFound(error: unknown): error is ProvisionError {
  return error instanceof ProvisionError && error.code === 'PYTHON_NOT_FOUND';
}
