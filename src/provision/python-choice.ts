/** Which Python a plugin runs on, and where that one finds packages. */
import type { PluginSpec, SitePackages } from '../plugin-spec.ts';
import { findInterpreter, hasVersion, type Interpreter } from './interpreter.ts';
import type { ProvisionOptions } from './provision-options.ts';

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
  const interpreter = await baseInterpreter(spec.python.version, options);
  return {
    program: interpreter.path,
    version: interpreter.version,
    sitePackages: { kind: spec.python.seesBaseSitePackages ? 'base' : 'none' },
    hostEnv: options.hostEnv,
  };
}

async function baseInterpreter(version: string | undefined, options: ProvisionOptions): Promise<Interpreter> {
  const search = { env: options.hostEnv, cacheDir: options.cacheDir, signal: options.signal };
  if (options.interpreter === undefined) return findInterpreter({ ...search, version });
  const named = await findInterpreter({ ...search, path: options.interpreter });
  // What a plugin asks for by version outranks what the host prefers: its dependencies are chosen for it.
  return version === undefined || hasVersion(named, version) ? named : findInterpreter({ ...search, version });
}
