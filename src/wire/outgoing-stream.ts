import { CharmerError } from '../errors.ts';
import { WINDOW_BYTES } from './messages.ts';
import { encodeValue, encodePlain, type Payload } from './values.ts';

/** What an outgoing stream asks of the conversation. */
export interface StreamTarget {
  /** Sends one item, or a JSON array of several. */
  item(payload: Payload, isBatch: boolean): void;
  end(): void;
  fail(failure: { readonly code: string; readonly message: string }): void;
}

/**
 * Pulls a producer as credit allows and sends what it yields. Items that are ready together go out together. The
 * producer's `return()` is called once nobody wants more.
 */
export class OutgoingStream {
  readonly #target: StreamTarget;
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>;
  #credit = 0;
  #budget: number = WINDOW_BYTES;
  #state: 'open' | 'ended' | 'stopped' = 'open';
  #isPumping = false;
  #batch: string[] = [];
  #batchUnits = 0;
  #isFlushDue = false;
  /** What the producer threw. */
  failure: { readonly error: unknown } | undefined;

  constructor(producer: Iterable<unknown> | AsyncIterable<unknown>, target: StreamTarget) {
    this.#target = target;
    this.#iterator = Symbol.asyncIterator in producer ? producer[Symbol.asyncIterator]() : producer[Symbol.iterator]();
  }

  addCredit(items: number, bytes: number): void {
    this.#credit += items;
    this.#budget = Math.min(WINDOW_BYTES, this.#budget + bytes);
    if (!this.#isPumping && this.#state === 'open') void this.#pump();
  }

  /** Nobody wants more: lets the producer clean up. */
  stop(): void {
    if (this.#state !== 'open') return;
    this.#state = 'stopped';
    this.#batch = [];
    void this.#leave();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#credit > 0 && this.#budget > 0) {
        const step = this.#iterator.next();
        const result: IteratorResult<unknown, unknown> = 'then' in step ? await step : step;
        // The stream may have been stopped while its producer was at work.
        if (this.#state !== 'open') return;
        if (result.done === true) {
          this.#state = 'ended';
          this.#flush();
          this.#target.end();
          return;
        }
        this.#send(result.value);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isPumping = false;
    }
  }

  #send(value: unknown): void {
    this.#credit--;
    const text = encodePlain(value);
    if (text === undefined || text.length > BATCH_UNITS) {
      const payload = text === undefined ? encodeValue(value, 'item') : { flags: 0, text };
      this.#flush();
      this.#budget -= sizeOf(payload);
      this.#target.item(payload, false);
      return;
    }
    this.#budget -= text.length;
    this.#batch.push(text);
    this.#batchUnits += text.length;
    if (this.#batchUnits > BATCH_UNITS) {
      this.#flush();
    } else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      process.nextTick(flush, this);
    }
  }

  /** For the scheduled flush only. */
  flushDue(): void {
    this.#isFlushDue = false;
    this.#flush();
  }

  #flush(): void {
    const batch = this.#batch;
    const [first] = batch;
    if (first === undefined) return;
    this.#batch = [];
    this.#batchUnits = 0;
    this.#target.item({ flags: 0, text: batch.length === 1 ? first : `[${batch.join(',')}]` }, batch.length > 1);
  }

  #fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.failure = { error };
    this.#flush();
    this.#target.fail(failureOf(error));
    // A producer that threw is over; one whose item could not be sent is not.
    void this.#leave();
  }

  async #leave(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {
      // Its consumer is gone: there is nobody to tell.
    }
  }
}

// As much as one write takes.
const BATCH_UNITS = 48 << 10;

function flush(stream: OutgoingStream): void {
  stream.flushDue();
}

function sizeOf(payload: Payload): number {
  return 'text' in payload ? payload.text.length : payload.parts.reduce((sum, part) => sum + part.length, 0);
}

/** What the runner is told of an error of the host's side. */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof CharmerError ? error.code : 'HOST_FAILED', message };
}

/** Whether an argument that is a client stream, if there is one. */
export function isProducer(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  if (Symbol.asyncIterator in value) return true;
  if (!(Symbol.iterator in value) || Array.isArray(value)) return false;
  return !(ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set || value instanceof String);
}
