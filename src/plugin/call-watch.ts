import { CallError } from '../errors.ts';

/** How long a worker may go on with a call that was cancelled before the worker is killed, in milliseconds. */
export const CANCEL_GRACE_MS = 500;
/** How long the stacks of a busy worker are waited for at a deadline, in milliseconds: its answer is a few hundred bytes. */
const STACKS_WAIT_MS = 250;

/** What a watch needs from the worker whose call it guards. */
export interface WatchedWorker {
  readonly plugin: string;
  readonly operation: string;
  /** The worker's Python stacks; may reject or take long. */
  stacks(timeoutMs: number): Promise<string>;
  /** Ends the worker because this call would not let go of it. */
  kill(): void;
}

/**
 * Watches one call of a worker: its deadline, its caller's signal, and whether the worker lets go afterwards.
 *
 * Invariants: the caller is answered at the deadline or abort, never later; the worker is killed when the call has not
 * ended `CANCEL_GRACE_MS` after that; nothing stays armed once the call ended.
 */
export class CallWatch {
  readonly #worker: WatchedWorker;
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #hasSettled = false;

  constructor(worker: WatchedWorker, callerSignal?: AbortSignal) {
    this.#worker = worker;
    this.#callerSignal = callerSignal;
    if (callerSignal?.aborted === true) this.#cancel(callerSignal.reason);
    else callerSignal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Given to the wire: aborts with the caller's reason or with the timeout error. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts, or starts anew, the time that the worker has for its next sign of life. */
  arm(timeoutMs: number | undefined, kind: 'total' | 'first item' | 'idle'): void {
    clearTimeout(this.#timer);
    if (timeoutMs === undefined || this.#hasSettled) return;
    this.#timer = setTimeout(() => void this.#expire(timeoutMs, kind), timeoutMs);
  }

  /** Stops the clock while the worker owes nothing. */
  disarm(): void {
    clearTimeout(this.#timer);
  }

  /** The caller no longer waits for the answer: from now on the worker has its grace. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#startGrace();
  }

  /** The call has come to its answer, unless its caller had left before: then the worker still has to let go of it. */
  answered(): void {
    if (!this.#controller.signal.aborted) this.settled();
  }

  /** The worker has let go of the call, with whatever outcome. */
  settled(): void {
    this.#hasSettled = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#grace);
    this.#callerSignal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#cancel(this.#callerSignal?.reason);

  async #expire(timeoutMs: number, kind: 'total' | 'first item' | 'idle'): Promise<void> {
    const stacks = await this.#worker.stacks(STACKS_WAIT_MS).catch(() => undefined);
    if (!this.#hasSettled) this.#cancel(timeoutError(this.#worker, { timeoutMs, kind, stacks }));
  }

  #cancel(reason: unknown): void {
    clearTimeout(this.#timer);
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(reason);
    this.#startGrace();
  }

  #startGrace(): void {
    if (this.#hasSettled || this.#grace !== undefined) return;
    this.#grace = setTimeout(() => this.#worker.kill(), CANCEL_GRACE_MS);
  }
}

/** The error of a call that reached its deadline. */
export function timeoutError(
  worker: Pick<WatchedWorker, 'plugin' | 'operation'>,
  deadline: { timeoutMs: number; kind: 'total' | 'first item' | 'idle'; stacks: string | undefined; hint?: string },
): CallError {
  const { timeoutMs, kind, stacks, hint } = deadline;
  const what = { total: 'did not answer', 'first item': 'gave no first item', idle: 'was silent' }[kind];
  return new CallError(
    'CALL_TIMEOUT',
    `Operation '${worker.operation}' of plugin '${worker.plugin}' ${what} within ${timeoutMs} ms`,
    {
      plugin: worker.plugin,
      operation: worker.operation,
      stacks,
      hint:
        hint ??
        (stacks === undefined
          ? 'Raise timeoutMs, or look at what the operation waits for.'
          : 'The field stacks shows where Python was at the deadline.'),
      details: { timeoutMs, kind },
    },
  );
}
