import type { ExitReport } from '../errors.ts';
import type { Diagnostic } from '../formats/format.ts';

/** What one call cost and where it ran. Handed to `onReport`, and carried by the error of a failed call. */
export interface CallReport {
  readonly plugin: string;
  readonly operation: string;
  /** How the process came to be: `exec` started a command, `fork` let a running interpreter go on, `warm` was there already. */
  readonly launcher: 'exec' | 'fork' | 'warm';
  /** Why a fork was not possible, where one was wanted. */
  readonly launcherReason?: string;
  readonly pid?: number;
  /** From the call until its work was handed to a process, in milliseconds. */
  readonly queueMs: number;
  /** From then until the answer, in milliseconds. */
  readonly runMs: number;
  /** Bytes given to the process for this call, where they were counted. */
  readonly bytesIn?: number;
  /** Bytes that came back. */
  readonly bytesOut?: number;
  /** What was odd about the reply without changing its value. */
  readonly diagnostics: readonly Diagnostic[];
  /** How the process ended, for calls that have one of their own. */
  readonly exit?: ExitReport;
}
