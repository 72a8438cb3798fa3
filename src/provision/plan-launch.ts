/** `PluginSpec` → `LaunchPlan`: everything that is needed to start a plugin's process, as a value. */
import type { LaunchPlan, PluginSpec } from '../plugin-spec.ts';
import { planOneShot } from './one-shot-plan.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { planResident } from './resident-plan.ts';

/**
 * Finds the interpreter, makes the environment where the plugin has requirements, and writes the plan. A plugin without
 * requirements causes no installer traffic, and no subprocess once the interpreter is known on this machine.
 *
 * @throws ProvisionError `PYTHON_NOT_FOUND`, `PYTHON_TOO_OLD`, `DEPENDENCIES_FAILED`
 * @throws StartError `SPAWN_FAILED` when a one-shot's command is nowhere to be found
 */
export async function planLaunch(spec: PluginSpec, options: ProvisionOptions): Promise<LaunchPlan> {
  options.signal?.throwIfAborted();
  return spec.command === undefined ? planResident(spec, options) : planOneShot(spec, spec.command, options);
}
