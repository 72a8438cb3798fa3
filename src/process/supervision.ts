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
  /** As `exec`, from a running interpreter where the plan allows it: the child's `launcher` says what happened. */
  fork(plan: LaunchPlan, options?: StartOptions): Promise<Child>;
  /** Kills every descendant, within two seconds. Idempotent. */
  close(): Promise<void>;
}
