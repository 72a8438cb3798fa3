import { archiveFailure } from './archive-failure.ts';

/** What is known once a stream has been read to its end. */
export interface Bzip2End {
  /** Bytes of the file after the stream. */
  readonly trailingBytes: number;
  /** Whether those bytes begin another bzip2 stream, which is not read. */
  readonly hasSecondStream: boolean;
}

/** Reads bits, most significant first, from bytes that come piece by piece. */
export class BitReader {
  readonly #pull: () => Buffer | undefined;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(pull: () => Buffer | undefined) {
    this.#pull = pull;
  }

  /** The next `width` bits, at most 24. Throws `stream-cut` when there are none. */
  read(width: number): number {
    while (this.#count < width) this.#more();
    this.#count -= width;
    return (this.#held >>> this.#count) & ((1 << width) - 1);
  }

  /** The next `width` bits, at most 20, without taking them; zeros stand in for what the stream lacks. */
  peek(width: number): number {
    while (this.#count < width) {
      if (!this.#tryMore()) return (this.#held << (width - this.#count)) & ((1 << width) - 1);
    }
    return (this.#held >>> (this.#count - width)) & ((1 << width) - 1);
  }

  /** Takes bits that were looked at. */
  skip(width: number): void {
    if (this.#count < width) throw cut();
    this.#count -= width;
  }

  /** Counts what follows the stream, which is padded to a whole byte. */
  end(): Bzip2End {
    const start: number[] = [];
    let trailingBytes = 0;
    this.#count -= this.#count % 8;
    while (this.#count >= 8 || this.#tryMore()) {
      const byte = this.read(8);
      if (trailingBytes++ < 3) start.push(byte);
    }
    return { trailingBytes, hasSecondStream: Buffer.from(start).toString('latin1') === 'BZh' };
  }

  #more(): void {
    if (!this.#tryMore()) throw cut();
  }

  /** Holds one byte more; at most 32 bits are held. */
  #tryMore(): boolean {
    while (this.#at >= this.#piece.length) {
      const piece = this.#pull();
      if (piece === undefined) return false;
      this.#piece = piece;
      this.#at = 0;
    }
    this.#held = (this.#held << 8) | (this.#piece[this.#at++] ?? 0);
    this.#count += 8;
    return true;
  }
}

function cut(): Error {
  return archiveFailure('stream-cut', 'Archive ends before its compressed data does', {
    hint: 'Fetch the archive again',
  });
}
