/** A tap: what one listener of the control bus has not read yet. It never blocks the pipeline (R90). */
import type { RuntimeData } from '../runtime-data.ts';
import { SessionNotFoundError } from './bus-errors.ts';

/** Values that a tap keeps for a listener that is slow. */
const RING = 1024;

/** A tap. One reader at a time; `null` marks a place where values were lost because the reader lagged. */
export class Subscription implements AsyncIterable<RuntimeData | null> {
  readonly address: string;
  readonly #onClose: (subscription: Subscription) => void;
  readonly #ring: RuntimeData[] = [];
  #start = 0;
  /** Values lost since the last mark was read, and before it. */
  #lagged = 0;
  #lostBefore = 0;
  #readers: { resolve: (data: RuntimeData | null) => void; reject: (error: unknown) => void }[] = [];
  #isClosed = false;

  constructor(address: string, onClose: (subscription: Subscription) => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  /** Values lost so far. */
  get lost(): number {
    return this.#lostBefore + this.#lagged;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Values that can be read without waiting, the mark of a loss included. */
  get size(): number {
    return this.#ring.length - this.#start + (this.#lagged > 0 ? 1 : 0);
  }

  /** The bus's side. */
  deliver(data: RuntimeData): void {
    if (this.#isClosed) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader.resolve(data);
    this.#ring.push(data);
    if (this.#ring.length - this.#start > RING) {
      this.#start += 1;
      this.#lagged += 1;
    }
    this.#shrink();
  }

  /**
   * The next value; `null` once where values were lost.
   *
   * @throws SessionNotFoundError `HOST_CLOSED` when the tap is closed and everything has been read
   */
  recv(): Promise<RuntimeData | null> {
    if (this.#lagged > 0) {
      this.#lostBefore += this.#lagged;
      this.#lagged = 0;
      return Promise.resolve(null);
    }
    const data = this.#ring[this.#start];
    if (data !== undefined) {
      this.#start += 1;
      this.#shrink();
      return Promise.resolve(data);
    }
    if (this.#isClosed) return Promise.reject(this.#closedError());
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** What can be read now, without waiting. */
  async drain(): Promise<(RuntimeData | null)[]> {
    const values: (RuntimeData | null)[] = [];
    while (this.size > 0) values.push(await this.recv());
    return values;
  }

  /** Idempotent. What has been delivered can still be read. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { reject } of this.#readers.splice(0)) reject(this.#closedError());
    this.#onClose(this);
  }

  /** Ends quietly when the tap is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RuntimeData | null, void, undefined> {
    while (this.size > 0 || !this.#isClosed) {
      try {
        yield await this.recv();
      } catch (error) {
        if (error instanceof SessionNotFoundError) return;
        throw error;
      }
    }
  }

  /** Lets read and lost values go, many at a time. */
  #shrink(): void {
    if (this.#start < RING && this.#start < this.#ring.length) return;
    this.#ring.splice(0, this.#start);
    this.#start = 0;
  }

  #closedError(): SessionNotFoundError {
    return new SessionNotFoundError(`The subscription of '${this.address}' is closed`);
  }
}
