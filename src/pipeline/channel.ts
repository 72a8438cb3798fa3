/**
 * A bounded queue between one or more producers and one consumer: back-pressure instead of drops (R43).
 *
 * Invariants: items leave in the order of acceptance; a producer that waits for room is served before one that comes later;
 * after `close()` nothing is accepted, what is queued can still be taken; after `discard()` nothing is left.
 */

interface Waiting<T> {
  readonly item: T;
  readonly accepted: (isAccepted: boolean) => void;
}

/** A bounded queue. `capacity` is a number of items. */
export class Channel<T> {
  readonly #capacity: number;
  #queue: T[] = [];
  /** Items at the front of `#queue` that are taken: cheaper than shifting an array of thousands. */
  #taken = 0;
  #waiting: Waiting<T>[] = [];
  #takers: ((item: IteratorResult<T, undefined>) => void)[] = [];
  #isClosed = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Items that wait, those of blocked producers included. */
  get size(): number {
    return this.#queue.length - this.#taken + this.#waiting.length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True: accepted. False: closed. A promise of the same while there is no room. */
  push(item: T): boolean | Promise<boolean> {
    if (this.#isClosed) return false;
    if (this.#hand(item)) return true;
    if (this.#queue.length - this.#taken < this.#capacity && this.#waiting.length === 0) {
      this.#queue.push(item);
      return true;
    }
    return new Promise((accepted) => this.#waiting.push({ item, accepted }));
  }

  /** Accepts beyond the capacity, up to `limit` items; false when closed or full. For those who must never block. */
  offer(item: T, limit: number): boolean {
    if (this.#isClosed || this.size >= limit) return false;
    if (!this.#hand(item)) this.#queue.push(item);
    return true;
  }

  /** The next item; done once closed and empty. */
  take(): Promise<IteratorResult<T, undefined>> {
    if (this.#taken < this.#queue.length) return Promise.resolve({ value: this.#next(), done: false });
    if (this.#isClosed) return Promise.resolve({ value: undefined, done: true });
    return new Promise((taker) => this.#takers.push(taker));
  }

  /** Nothing more is accepted; blocked producers are told so. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { item, accepted } of this.#waiting.splice(0)) {
      // They waited for their turn before the end came: their items are part of what is drained.
      this.#queue.push(item);
      accepted(true);
    }
    for (const taker of this.#takers.splice(0)) taker({ value: undefined, done: true });
  }

  /** Closes and forgets what is queued; the number of items lost. */
  discard(): number {
    const lost = this.size;
    for (const { accepted } of this.#waiting.splice(0)) accepted(false);
    this.#queue = [];
    this.#taken = 0;
    this.close();
    return lost;
  }

  #hand(item: T): boolean {
    const taker = this.#takers.shift();
    taker?.({ value: item, done: false });
    return taker !== undefined;
  }

  #next(): T {
    const item = this.#queue[this.#taken] as T;
    this.#taken += 1;
    if (this.#taken === this.#queue.length || this.#taken >= SHRINK_AT) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    const blocked = this.#waiting.shift();
    if (blocked !== undefined) {
      this.#queue.push(blocked.item);
      blocked.accepted(true);
    }
    return item;
  }
}

/** Taken items are let go in batches of this many. */
const SHRINK_AT = 256;
