import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from '../process/child.ts';

/** Starts the process of a plan, by whichever launcher suits it. Throws what the supervisor throws. */
export type StartChild = (plan: LaunchPlan, signal?: AbortSignal) => Promise<Child>;
