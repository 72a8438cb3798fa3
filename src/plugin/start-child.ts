import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from '../process/child.ts';

/**
 * Starts the process of a plan, by whichever launcher suits it. Throws what the supervisor throws. `preload`: what a fork
 * server for such plans imports ahead.
 */
export type StartChild = (plan: LaunchPlan, signal?: AbortSignal, preload?: readonly string[]) => Promise<Child>;
