import { CallError } from '../errors.ts';
import type { IncomingStream } from './incoming-stream.ts';
import type { WorkerEvent } from './messages.ts';
import type { OutgoingStream } from './outgoing-stream.ts';

/** A call from the frame that starts it to the frame that settles it. */
export interface PendingCall {
  readonly id: number;
  readonly slot: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  incoming?: IncomingStream;
  outgoing?: OutgoingStream;
  readonly onProgress?: ((event: WorkerEvent) => void) | undefined;
  readonly onSettled?: (() => void) | undefined;
  /** The caller has given up: the answer is only waited for. */
  isAbandoned: boolean;
  /** Stops listening to the caller's signal. */
  unlisten?: () => void;
}

/** Calls by id. Ids of the host are odd; they wrap, and those in use are skipped. */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  #lastId: number;

  /** @param lastId The id that counts as given last. */
  constructor(lastId = -1) {
    this.#lastId = lastId;
  }
  #idlers: (() => void)[] = [];

  get size(): number {
    return this.#calls.size;
  }

  get(id: number): PendingCall | undefined {
    return this.#calls.get(id);
  }

  add(call: PendingCall): void {
    this.#calls.set(call.id, call);
  }

  take(id: number): PendingCall | undefined {
    const call = this.#calls.get(id);
    if (call !== undefined) {
      this.#calls.delete(id);
      call.unlisten?.();
      if (this.#calls.size === 0 && this.#idlers.length > 0) this.#tellIdlers();
    }
    return call;
  }

  takeAll(): readonly PendingCall[] {
    const all = [...this.#calls.values()];
    for (const call of all) this.take(call.id);
    return all;
  }

  /** Settles when no call is pending, at once if there is none. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  list(): readonly PendingCall[] {
    return [...this.#calls.values()];
  }

  nextId(): number {
    do {
      this.#lastId = this.#lastId >= LARGEST_ID ? 1 : this.#lastId + 2;
    } while (this.#calls.has(this.#lastId));
    return this.#lastId;
  }

  #tellIdlers(): void {
    for (const tell of this.#idlers.splice(0)) tell();
  }
}

/** Settles a call with an error, after the items that have arrived if it is a stream. */
export function failCall(call: PendingCall, error: unknown): void {
  call.outgoing?.stop();
  if (call.isAbandoned) tell(() => call.onSettled?.());
  else if (call.incoming === undefined) call.reject(error);
  else call.incoming.finish({ error });
}

/** Calls a listener. What it throws is its owner's, not the wire's: it becomes an uncaught exception. */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** What a call rejects with that the runner ended without being asked to. */
export function endedByRunner(): CallError {
  return new CallError('HOST_CLOSED', 'Call was ended because the worker is closing, expected it to finish', {
    hint: 'Wait for calls before closing the plugin',
  });
}

// The largest odd number of 32 bits.
const LARGEST_ID = 0xffff_ffff;
