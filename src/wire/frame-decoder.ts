import { ProtocolError } from '../errors.ts';
import { HEADER_BYTES, KINDS } from './messages.ts';

/** Takes a frame. The payload is `bytes.subarray(start, end)`, which is valid during the call only unless `isOwn`. */
export interface FrameSink {
  (frame: Frame): void;
}

/** One frame. The decoder hands out the same object again and again. */
export interface Frame {
  kind: number;
  flags: number;
  slot: number;
  id: number;
  bytes: Buffer;
  start: number;
  end: number;
  /** Whether `bytes` was made for this frame alone, so that views of it may be kept. */
  isOwn: boolean;
}

/**
 * Cuts what arrives into frames, wherever it is cut. Frames inside of one chunk are handed out in place; a frame that
 * spans chunks is collected in one buffer of its size.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #maxFrameBytes: number;
  readonly #head = Buffer.alloc(HEADER_BYTES);
  #headBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;
  readonly #frame: Frame = { kind: 0, flags: 0, slot: 0, id: 0, bytes: EMPTY, start: 0, end: 0, isOwn: false };

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Whether the bytes so far end inside of a frame. */
  get isInsideFrame(): boolean {
    return this.#headBytes > 0 || this.#body !== undefined;
  }

  /**
   * @throws ProtocolError `FRAME_TOO_LARGE`, `MESSAGE_UNEXPECTED` for a kind that does not exist
   */
  push(chunk: Buffer): void {
    const size = chunk.length;
    let at = 0;
    while (at < size) {
      if (this.#body !== undefined) {
        at = this.#fillBody(this.#body, chunk, at);
      } else if (this.#headBytes > 0 || size - at < HEADER_BYTES) {
        const count = Math.min(HEADER_BYTES - this.#headBytes, size - at);
        chunk.copy(this.#head, this.#headBytes, at, at + count);
        this.#headBytes += count;
        at += count;
        if (this.#headBytes < HEADER_BYTES) return;
        this.#headBytes = 0;
        this.#begin(this.#readHead(this.#head, 0));
      } else {
        const length = this.#readHead(chunk, at);
        at += HEADER_BYTES;
        if (size - at >= length) {
          this.#emit(chunk, at, at + length);
          at += length;
        } else {
          this.#begin(length);
        }
      }
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32LE(at);
    const kind = bytes[at + 4] ?? 0;
    if (kind === 0 || kind > KINDS.length) {
      throw new ProtocolError('MESSAGE_UNEXPECTED', `Frame has kind ${kind}, expected 1 to ${KINDS.length}`, {
        hint: 'Something other than the runner wrote to its descriptor 4',
      });
    }
    if (length > this.#maxFrameBytes) {
      const limit = this.#maxFrameBytes;
      throw new ProtocolError('FRAME_TOO_LARGE', `Frame has ${length} bytes, expected at most ${limit}`, {
        hint: "Send less at once, as a stream, or raise 'maxFrameBytes'",
      });
    }
    const frame = this.#frame;
    frame.kind = kind;
    frame.flags = bytes[at + 5] ?? 0;
    frame.slot = bytes.readUInt16LE(at + 6);
    frame.id = bytes.readUInt32LE(at + 8);
    return length;
  }

  #begin(length: number): void {
    if (length === 0) {
      this.#emit(EMPTY, 0, 0);
      return;
    }
    this.#body = Buffer.allocUnsafeSlow(length);
    this.#bodyBytes = 0;
  }

  #fillBody(body: Buffer, chunk: Buffer, at: number): number {
    const count = Math.min(body.length - this.#bodyBytes, chunk.length - at);
    chunk.copy(body, this.#bodyBytes, at, at + count);
    this.#bodyBytes += count;
    if (this.#bodyBytes === body.length) {
      this.#body = undefined;
      this.#frame.isOwn = true;
      this.#emit(body, 0, body.length);
      this.#frame.isOwn = false;
      this.#frame.bytes = EMPTY;
    }
    return at + count;
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = start;
    frame.end = end;
    this.#sink(frame);
  }
}

const EMPTY = Buffer.alloc(0);
