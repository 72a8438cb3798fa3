import type { StartChild } from '../plugin/start-child.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Supervisor } from '../process/supervisor.ts';
import type { ResolvedHostOptions } from './host-options.ts';

/** How the processes of one host are started. */
export interface Launcher {
  /** Workers: the first one by exec, since a fork server for it alone would cost more than it saves; later ones are forked. */
  readonly resident: StartChild;
  /** Fresh processes: forked where the plan allows it. */
  readonly oneShot: StartChild;
  /** Has the fork server for a plan started in the background. */
  prepare(plan: LaunchPlan): void;
}

/** The launcher of a host, over its supervisor. */
export function createLauncher(supervisor: () => Promise<Supervisor>, options: ResolvedHostOptions): Launcher {
  const { preload, launch } = options;
  let residents = 0;
  const exec: StartChild = async (plan, signal) => (await supervisor()).exec(plan, { signal });
  const fork: StartChild = async (plan, signal, formatsOwn = []) =>
    (await supervisor()).fork(plan, { signal, preload: [...formatsOwn, ...preload] });
  return {
    resident: (plan, signal, formatsOwn) => {
      residents += 1;
      return launch === 'exec' || residents === 1 ? exec(plan, signal) : fork(plan, signal, formatsOwn);
    },
    oneShot: (plan, signal) => (plan.launcher === 'exec' ? exec(plan, signal) : fork(plan, signal)),
    prepare: (plan) => {
      if (plan.launcher === 'exec') return;
      const preparing = supervisor().then((running) => running.prepare(plan, { preload }));
      // A fork server that does not come up is no failure: the first call is started by exec and says why.
      preparing.catch(() => undefined);
    },
  };
}
