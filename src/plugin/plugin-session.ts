/** The seam between a plugin and where it lives: one process, a fresh one per call, a pool, or another machine. */
import type { ExitReport } from '../errors.ts';
import type { Operation } from '../plugin-spec.ts';

/** Something that a worker tells outside of any answer. */
export interface WorkerEvent {
  /** `progress`, `log`, `publish`, `warning`, or a name of the format's own. */
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Options of one call, as a session sees them. */
export interface SessionCallOptions {
  /** Aborting rejects at once with the signal's reason and stops the work. */
  readonly signal?: AbortSignal | undefined;
  /** Total for a call; until the first item for a stream. @default no deadline */
  readonly timeoutMs?: number | undefined;
  /** Longest silence of a stream that has credit, reset by progress. @default no limit */
  readonly idleTimeoutMs?: number | undefined;
  readonly onProgress?: ((event: WorkerEvent) => void) | undefined;
  /** W3C trace context handed to the plugin. */
  readonly traceparent?: string | undefined;
  /** Whether the original system's conversions are reproduced where ours are better. @default false */
  readonly strict?: boolean | undefined;
}

/** A living conversation with a plugin. */
export interface PluginSession {
  readonly operations: readonly Operation[];
  /** Process id of the worker, or undefined when none is running. */
  readonly pid: number | undefined;
  /**
   * @throws CallError `OPERATION_UNKNOWN`, `CALL_TIMEOUT`, `PLUGIN_EXITED`, `ARGUMENT_INVALID`, `RESULT_INVALID`, …
   * @throws PluginError when the plugin raised
   */
  call(operation: string, args: readonly unknown[], options?: SessionCallOptions): Promise<unknown>;
  /** One consumer; leaving the loop cancels the generator. */
  stream(operation: string, args: readonly unknown[], options?: SessionCallOptions): AsyncIterable<unknown>;
  /** The Python stacks of a busy worker, without stopping it. */
  stacks(): Promise<string>;
  /** Idempotent and bounded. */
  close(): Promise<ExitReport | undefined>;
  /** Settles when the worker ends, however it ends. Never rejects. */
  readonly exited: Promise<ExitReport | undefined>;
  /** Listens to events of the worker; returns a function that stops listening. */
  onEvent(listener: (event: WorkerEvent) => void): () => void;
}
