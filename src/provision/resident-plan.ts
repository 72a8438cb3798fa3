/** The plan of a plugin that lives in the runner. */
import { join, resolve } from 'node:path';
import type { LaunchPlan, PluginSpec } from '../plugin-spec.ts';
import { childEnvironment } from './child-environment.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { choosePython } from './python-choice.ts';
import { runnerEntry } from './runner-entry.ts';
import { siblingDirectory } from './sibling-directory.ts';

/**
 * The runner starts isolated (`-I -S`) and without `site`; what the plugin may import travels in the plan. The working
 * directory is the host's: the systems that resident plugins come from either let the child inherit it or run them in
 * the host itself.
 */
export async function planResident(spec: PluginSpec, options: ProvisionOptions): Promise<LaunchPlan> {
  const python = await choosePython(spec, options);
  const siblings = spec.python.siblings === undefined ? [] : [siblingDirectory(spec.python.siblings, options.cacheDir)];
  const byteCode = join(resolve(options.cacheDir), 'bytecode');
  const flags = ['-I', '-S', '-X', 'utf8', '-X', `pycache_prefix=${byteCode}`];
  return {
    interpreter: python.program,
    pythonVersion: python.version,
    argv: [python.program, ...flags, runnerEntry()],
    cwd: process.cwd(),
    env: childEnvironment(python.hostEnv, { grants: options.env, pass: options.passEnv }),
    hasWire: true,
    stdin: 'null',
    limits: options.limits ?? {},
    launcher: options.launcher ?? 'exec',
    importPath: { first: spec.python.importFirst, last: [...spec.python.importLast, ...siblings] },
    sitePackages: python.sitePackages,
  };
}
