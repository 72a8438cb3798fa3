/** A running process, however it was started. */
import type { Readable, Writable } from 'node:stream';

/** How a process ended. */
export interface ExitFacts {
  readonly pid: number;
  /** Exit status, or null when a signal ended the process or nobody saw it end. */
  readonly code: number | null;
  /** Name of the signal, for example `SIGSEGV`, or null. */
  readonly signal: string | null;
  /** `host`: after the host had signalled it; `outside`: by a signal that is neither the host's nor a fault. */
  readonly by: 'itself' | 'host' | 'outside';
  readonly durationMs: number;
  /** User and system time of the process and the children it waited for. */
  readonly cpuMs: number;
  /** Largest resident set. */
  readonly peakMemoryBytes: number;
}

/** The four directions of a child's wire: its descriptors 3, 4, 5 and 6. */
export interface ChildWire {
  readonly input: Writable;
  readonly output: Readable;
  readonly control: Writable;
  readonly dumps: Readable;
}

/** A running process. */
export interface Child {
  readonly pid: number;
  /** Set when the plan has a wire. */
  readonly wire?: ChildWire;
  /** Set when the plan's standard input is a pipe. */
  readonly stdin?: Writable;
  /**
   * Whoever has the child must read it or `resume()` it: a full pipe stops the child. It may have ended already when
   * the process came and went without a word: look at `readableEnded` before waiting for `end`.
   */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended, whoever still holds its pipes. Never rejects. */
  readonly exited: Promise<ExitFacts>;
  readonly launcher: 'exec' | 'fork';
  /** Why a plan that asked for `fork` was started by `exec`. */
  readonly launcherReason?: string;
  /**
   * Signals the process, or with `group` its process group and, once it has ended, whatever it left behind. Nothing
   * happens when there is nobody to signal.
   *
   * @default to 'process'
   */
  signal(name: NodeJS.Signals, to?: 'process' | 'group'): Promise<void>;
  /** Lets this child keep the host program alive, as it does from the start. */
  ref(): void;
  /** Lets the host program end although this child runs. */
  unref(): void;
}
