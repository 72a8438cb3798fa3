import { WINDOW_BYTES, WINDOW_ITEMS, WINDOW_ITEMS_LIMIT } from './messages.ts';

/** What an incoming stream asks of the conversation. */
export interface StreamSource {
  /** Sends the call. Throws when it cannot be sent. */
  start(): void;
  grant(items: number, bytes: number): void;
  /** Nothing more is wanted. */
  cancel(): void;
}

/**
 * The items of one call, for one consumer. Started by the first `next()`.
 *
 * A window of items is open: allowed and not consumed yet. It is filled up again when half of it is consumed. A consumer
 * that waits when items arrive is faster than the producer, and the window doubles; a backlog halves it again.
 */
export class IncomingStream implements AsyncIterableIterator<unknown> {
  readonly #source: StreamSource;
  readonly #isFixed: boolean;
  #window: number;
  /** Items that were allowed and not consumed yet. */
  #open = 0;
  #owedBytes = 0;
  #queue: unknown[] = [];
  #head = 0;
  readonly #frames: { left: number; readonly bytes: number }[] = [];
  readonly #waiters: Waiter[] = [];
  #state: 'idle' | 'open' | 'ended' = 'idle';
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param window Items allowed at once, fixed; undefined: adapts, from 16 to 1024
   */
  constructor(source: StreamSource, window?: number) {
    this.#source = source;
    this.#isFixed = window !== undefined;
    this.#window = window ?? WINDOW_ITEMS;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#head < this.#queue.length) return Promise.resolve({ value: this.#take(), done: false });
    if (this.#state === 'idle') {
      try {
        this.#begin();
      } catch (error) {
        this.#state = 'ended';
        return Promise.reject(error);
      }
    }
    if (this.#state === 'ended') return this.#last();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    const wasOpen = this.#state === 'open';
    this.#state = 'ended';
    this.#queue = [];
    this.#head = 0;
    this.#failure = undefined;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ value: undefined, done: true });
    if (wasOpen) this.#source.cancel();
    return Promise.resolve({ value: undefined, done: true });
  }

  throw(error?: unknown): Promise<IteratorResult<unknown, undefined>> {
    void this.return();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes items that arrived in one frame of so many payload bytes. */
  push(items: unknown[], bytes: number): void {
    if (this.#state !== 'open') return;
    const backlog = this.#queue.length - this.#head;
    this.#frames.push({ left: items.length, bytes });
    if (backlog === 0) {
      this.#queue = items;
      this.#head = 0;
    } else {
      for (const item of items) this.#queue.push(item);
    }
    this.#adapt(backlog);
    while (this.#waiters.length > 0 && this.#head < this.#queue.length) {
      this.#waiters.shift()?.resolve({ value: this.#take(), done: false });
    }
  }

  /** The stream is over, after what has arrived. */
  finish(failure?: { readonly error: unknown }): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#failure = failure;
    for (const waiter of this.#waiters.splice(0)) {
      // Only the first of them hears of the failure.
      if (this.#failure === undefined) waiter.resolve({ value: undefined, done: true });
      else waiter.reject(this.#failure.error);
      this.#failure = undefined;
    }
  }

  /** The consumer gives up: what has arrived is dropped. */
  abandon(error: unknown): void {
    this.#queue = [];
    this.#head = 0;
    this.finish({ error });
  }

  #begin(): void {
    this.#source.start();
    this.#state = 'open';
    this.#open = this.#window;
    this.#source.grant(this.#window, 0);
  }

  #take(): unknown {
    const item = this.#queue[this.#head++];
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    this.#open--;
    const [frame] = this.#frames;
    if (frame !== undefined && --frame.left === 0) {
      this.#owedBytes += frame.bytes;
      this.#frames.shift();
    }
    this.#refill();
    return item;
  }

  #refill(): void {
    if (this.#state !== 'open') return;
    const room = Math.max(this.#window - this.#open, 0);
    if (2 * room < this.#window && 2 * this.#owedBytes < WINDOW_BYTES) return;
    this.#source.grant(room, this.#owedBytes);
    this.#open += room;
    this.#owedBytes = 0;
  }

  #adapt(backlog: number): void {
    if (this.#isFixed) return;
    if (this.#waiters.length > 0) {
      this.#window = Math.min(2 * this.#window, WINDOW_ITEMS_LIMIT);
    } else if (2 * backlog > this.#window) {
      this.#window = Math.max(this.#window >> 1, WINDOW_ITEMS);
    }
  }

  #last(): Promise<IteratorResult<unknown, undefined>> {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(failure.error);
  }
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}
