/** A say in what passes one place of the pipeline: pass, replace or drop, within a deadline (R89). */
import type { RuntimeData } from '../runtime-data.ts';

/** What becomes of a value. */
export type InterceptDecision = 'pass' | 'replace' | 'drop';

/** A value that waits for a decision. */
export interface InterceptRequest {
  readonly correlationId: number;
  readonly data: RuntimeData;
}

/** Default time for one decision, in milliseconds. */
export const INTERCEPT_DEADLINE_MS = 50;

interface Pending {
  readonly data: RuntimeData;
  readonly decide: (data: RuntimeData | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

/** What a session needs to know of its bus. */
export interface InterceptHooks {
  /** A value passed because nobody decided in time. */
  readonly missed: (address: string, deadlineMs: number) => void;
  readonly closed: (session: InterceptSession) => void;
}

/** One intercept, until it is closed; then everything passes. */
export class InterceptSession implements AsyncIterable<InterceptRequest> {
  readonly address: string;
  readonly deadlineMs: number;
  readonly #hooks: InterceptHooks;
  readonly #pending = new Map<number, Pending>();
  #requests: InterceptRequest[] = [];
  #readers: ((request: InterceptRequest | undefined) => void)[] = [];
  #count = 0;
  #isClosed = false;

  constructor(address: string, deadlineMs: number, hooks: InterceptHooks) {
    this.address = address;
    this.deadlineMs = deadlineMs;
    this.#hooks = hooks;
  }

  /** The pipeline's side: what goes on in place of a value; undefined: nothing does. */
  ask(data: RuntimeData): Promise<RuntimeData | undefined> {
    if (this.#isClosed) return Promise.resolve(data);
    const correlationId = (this.#count += 1);
    return new Promise((decide) => {
      const timer = setTimeout(() => {
        this.complete(correlationId, 'pass');
        this.#hooks.missed(this.address, this.deadlineMs);
      }, this.deadlineMs);
      this.#pending.set(correlationId, { data, decide, timer });
      const reader = this.#readers.shift();
      if (reader === undefined) this.#requests.push({ correlationId, data });
      else reader({ correlationId, data });
    });
  }

  /** The next value to decide about, those whose deadline has passed left out; undefined when closed. */
  recv(): Promise<InterceptRequest | undefined> {
    this.#requests = this.#requests.filter((request) => this.#pending.has(request.correlationId));
    const request = this.#requests.shift();
    if (request !== undefined || this.#isClosed) return Promise.resolve(request);
    return new Promise((reader) => this.#readers.push(reader));
  }

  /** Decides about one value; false when it was too late. A replacement without a value passes the original. */
  complete(correlationId: number, decision: InterceptDecision, data?: RuntimeData): boolean {
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return false;
    this.#pending.delete(correlationId);
    clearTimeout(pending.timer);
    if (decision === 'drop') pending.decide(undefined);
    else pending.decide(decision === 'replace' ? (data ?? pending.data) : pending.data);
    return true;
  }

  /** Idempotent: what waits passes. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const correlationId of [...this.#pending.keys()]) this.complete(correlationId, 'pass');
    for (const reader of this.#readers.splice(0)) reader(undefined);
    this.#hooks.closed(this);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<InterceptRequest, void, undefined> {
    for (let request = await this.recv(); request !== undefined; request = await this.recv()) yield request;
  }
}
