import { ProvisionError } from '../errors.ts';
import type { LaunchPlan, PluginSpec } from '../plugin-spec.ts';
import { planLaunch } from '../provision/plan-launch.ts';
import type { HostContext } from './host-context.ts';
import type { LoadOptions } from './load-options.ts';

/**
 * Plans the launch of a plugin. Where not all of its requirements can be installed and it can do without some, it does
 * without them, with a warning.
 */
export async function provision(context: HostContext, spec: PluginSpec, options: LoadOptions): Promise<LaunchPlan> {
  const { mandatory, requirements } = spec.python;
  if (mandatory === undefined) return planAll(context, spec, options);
  try {
    return await planAll(context, spec, options);
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== 'DEPENDENCIES_FAILED') throw error;
    const without = requirements.filter((line) => !mandatory.includes(line)).map((line) => `'${line}'`);
    const message = `Plugin '${spec.id}' runs without ${without.join(', ')}, which could not be installed: ${error.message}`;
    context.events.emit('warning', { plugin: spec.id, message });
    return planAll(context, { ...spec, python: { ...spec.python, requirements: mandatory } }, options);
  }
}

/** Variables granted by the host, then by the load; `true` passes the host process's own value. */
async function planAll(context: HostContext, spec: PluginSpec, options: LoadOptions): Promise<LaunchPlan> {
  const grants = { ...context.options.env, ...options.env };
  const passed = Object.keys(grants).filter((name) => grants[name] === true);
  const values = Object.fromEntries(
    Object.entries(grants).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  return planLaunch(spec, {
    interpreter: context.options.pythonPath,
    cacheDir: context.options.cacheDir,
    hostEnv: context.hostEnv(),
    owner: context.leaseOwner,
    env: values,
    passEnv: passed,
    limits: options.limits ?? context.options.limits,
    launcher: context.options.launch === 'exec' ? 'exec' : 'fork',
    pluginsRoot: options.pluginsRoot,
    signal: options.signal,
    onProgress: ({ phase, message, fraction }) => {
      if (phase === 'warning') context.events.emit('warning', { plugin: spec.id, message });
      else
        context.events.emit('progress', {
          plugin: spec.id,
          phase,
          message,
          ...(fraction !== undefined && { fraction }),
        });
    },
  });
}
