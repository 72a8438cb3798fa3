/** The contract of supervisors: what starts and watches the processes of one host. */
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child } from './child.ts';
import type { WaitLimits } from './given-up.ts';

/** How a supervisor is started. */
export interface SupervisorOptions {
  /** Absolute path of a real interpreter, 3.9 or later, never of a version manager's shim. */
  readonly interpreter: string;
  /** Environment of the supervisor itself; children get what their plan says. @default PATH and the loader's variables */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the interpreter keeps byte code of the supervisor. @default beside its source */
  readonly byteCodeDirectory?: string;
  /** Processes that each fork server keeps ready; under load it keeps up to eight, with 0 none. @default 2 */
  readonly spares?: number;
}

/** Which fork server may serve a plan. */
export interface ForkOptions extends StartOptions {
  /**
   * Modules imported ahead, beside the standard ones; `DIRECTORY:module` is found in that directory. Those that start
   * threads or fail are left out. @default none
   */
  readonly preload?: readonly string[] | undefined;
  /** Plans of different trust domains never share a server. @default '' */
  readonly domain?: string | undefined;
}

/** When a start is given up. */
export interface StartOptions extends WaitLimits {
  /** @default 30000 */
  readonly timeoutMs?: number | undefined;
}

/** Starts and watches the processes of one host. */
export interface Supervisor {
  /** Process id, or undefined when it does not run. */
  readonly pid: number | undefined;
  /** Settles when the supervisor that runs now has ended; settled when none runs. */
  readonly exited: Promise<void>;
  /** Starts the supervisor unless it runs. @throws StartError `SPAWN_FAILED`, `EXITED_BEFORE_READY` */
  start(): Promise<void>;
  /**
   * Starts a plan's command in a process of its own.
   *
   * @throws StartError `SPAWN_FAILED` when the command cannot be run; `READY_TIMEOUT`
   * @throws CallError `HOST_CLOSED` after `close()`
   * @throws the signal's reason; a process that was started by then is killed
   */
  exec(plan: LaunchPlan, options?: StartOptions): Promise<Child>;
  /**
   * As `exec`, but as a copy of a running interpreter where that makes no difference to the plugin: in a millisecond
   * instead of twenty. Where it would make one, or while the interpreter is still starting, the plan is started by
   * `exec`; the child's `launcher` and `launcherReason` say so. Errors as those of `exec`.
   */
  fork(plan: LaunchPlan, options?: ForkOptions): Promise<Child>;
  /** Starts the interpreter that `fork` would copy, and its spares. Settles when they are ready or cannot be. */
  prepare(plan: LaunchPlan, options?: ForkOptions): Promise<void>;
  /** Kills every descendant, within two seconds. Idempotent. */
  close(): Promise<void>;
}
