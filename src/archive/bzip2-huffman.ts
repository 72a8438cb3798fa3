import { archiveFailure } from './archive-failure.ts';
import type { BitReader } from './bzip2-bits.ts';

/** Codes of at most this many bits are found in one look. */
const QUICK_BITS = 10;
const LONGEST_CODE = 20;

/** A canonical Huffman table of bzip2, ready to decode. */
export class HuffmanTable {
  /** Per start of `QUICK_BITS` bits: symbol and length, or 0 for a longer code. */
  readonly #quick = new Uint16Array(1 << QUICK_BITS);
  /** Per length: one more than the largest code of that length, or 0. */
  readonly #limit = new Int32Array(LONGEST_CODE + 1);
  /** Per length: what to subtract from a code to get its place in `#symbols`. */
  readonly #base = new Int32Array(LONGEST_CODE + 1);
  readonly #symbols: Uint16Array;
  readonly #longest: number;

  /** @param lengths Code length of every symbol, 1 to 20. */
  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    this.#longest = lengths.reduce((longest, length) => Math.max(longest, length), 1);
    let code = 0;
    let place = 0;
    for (let length = 1; length <= this.#longest; length++) {
      this.#base[length] = code - place;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[place++] = symbol;
        this.#enterQuick(code, length, symbol);
        code++;
      }
      this.#limit[length] = code;
      code <<= 1;
    }
  }

  /** Takes one symbol from the stream. */
  decode(bits: BitReader): number {
    const entry = this.#quick[bits.peek(QUICK_BITS)] ?? 0;
    if (entry !== 0) {
      bits.skip(entry & 15);
      return entry >>> 4;
    }
    const ahead = bits.peek(this.#longest);
    for (let length = 1; length <= this.#longest; length++) {
      const code = ahead >>> (this.#longest - length);
      if (code >= (this.#limit[length] ?? 0)) continue;
      const place = code - (this.#base[length] ?? 0);
      if (place < 0) continue;
      bits.skip(length);
      return this.#symbols[place] ?? 0;
    }
    throw archiveFailure('stream-invalid', 'Archive is damaged: a code stands for nothing', {
      hint: 'Fetch the archive again',
    });
  }

  #enterQuick(code: number, length: number, symbol: number): void {
    if (length > QUICK_BITS || code >= 1 << length) return;
    const first = code << (QUICK_BITS - length);
    this.#quick.fill((symbol << 4) | length, first, first + (1 << (QUICK_BITS - length)));
  }
}
