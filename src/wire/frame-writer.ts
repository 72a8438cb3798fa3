import type { Writable } from 'node:stream';

import { CREDIT, HEADER_BYTES } from './messages.ts';

/**
 * Writes frames in the order they are given, many per write: what is added until the running code and its promise jobs
 * are done goes out together. Memory is reused once the stream has taken it.
 */
export class FrameWriter {
  readonly #stream: Writable;
  readonly #free: Buffer[] = [];
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;
  #isScheduled = false;
  #isClosed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Adds a frame without a payload. */
  empty(kind: number, id: number): void {
    const at = this.#reserve(HEADER_BYTES);
    this.#putHeader(at, { kind, flags: 0, slot: 0, id }, 0);
  }

  /** Adds a frame whose payload is UTF-8 text. Returns the payload's size in bytes. */
  text(head: FrameHead, text: string): number {
    // A UTF-16 unit becomes three bytes at most.
    const most = HEADER_BYTES + 3 * text.length;
    if (most > SLAB_BYTES) {
      const payload = Buffer.from(text, 'utf8');
      this.bytes(head, payload);
      return payload.length;
    }
    const at = this.#reserve(most);
    const length = this.#slab.write(text, at + HEADER_BYTES, 'utf8');
    this.#putHeader(at, head, length);
    this.#used = at + HEADER_BYTES + length;
    return length;
  }

  /** Adds a frame whose payload is the parts one after the other. Large parts are not copied: leave them unchanged. */
  bytes(head: FrameHead, ...parts: readonly Uint8Array[]): void {
    let length = 0;
    for (const part of parts) length += part.length;
    const at = this.#reserve(HEADER_BYTES);
    this.#putHeader(at, head, length);
    for (const part of parts) {
      if (part.length <= COPIED_BYTES) {
        const start = this.#reserve(part.length);
        this.#slab.set(part, start);
      } else {
        this.#write();
        this.#stream.write(part);
      }
    }
  }

  /** Adds a frame whose payload is two numbers: the credit of a stream. */
  credit(id: number, items: number, bytes: number): void {
    const at = this.#reserve(HEADER_BYTES + 8);
    this.#putHeader(at, { kind: CREDIT, flags: 0, slot: 0, id }, 8);
    this.#slab.writeUInt32LE(items, at + HEADER_BYTES);
    this.#slab.writeUInt32LE(bytes, at + HEADER_BYTES + 4);
  }

  /** Writes what was added, then ends the stream. */
  end(): void {
    this.#write();
    this.#isClosed = true;
    this.#stream.end();
  }

  /** Drops what is added from now on. */
  stop(): void {
    this.#isClosed = true;
    this.#used = 0;
  }

  #putHeader(at: number, head: FrameHead, length: number): void {
    const slab = this.#slab;
    slab.writeUInt32LE(length, at);
    slab[at + 4] = head.kind;
    slab[at + 5] = head.flags;
    slab.writeUInt16LE(head.slot, at + 6);
    slab.writeUInt32LE(head.id, at + 8);
  }

  #reserve(size: number): number {
    if (this.#used + size > SLAB_BYTES) this.#write();
    const at = this.#used;
    this.#used = at + size;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(flush, this);
    }
    return at;
  }

  /** For the scheduled write only. */
  flush(): void {
    this.#isScheduled = false;
    this.#write();
  }

  #write(): void {
    const used = this.#used;
    if (used === 0) return;
    this.#used = 0;
    if (this.#isClosed) return;
    const slab = this.#slab;
    this.#slab = this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#stream.write(slab.subarray(0, used), () => {
      if (this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
    });
  }
}

/** What stands before a payload. */
export interface FrameHead {
  readonly kind: number;
  readonly flags: number;
  readonly slot: number;
  readonly id: number;
}

// As much as a pipe takes at once.
const SLAB_BYTES = 64 << 10;
const MAX_FREE_SLABS = 4;
// Larger payloads are handed to the stream as they are: copying them costs more than a write.
const COPIED_BYTES = 16 << 10;

function flush(writer: FrameWriter): void {
  writer.flush();
}
