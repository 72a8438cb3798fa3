/** Collects bits, most significant first, into bytes. */
export class BitWriter {
  #bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  #at = 0;
  #held = 0;
  #count = 0;

  /** Appends the low `width` bits of `value`, at most 24. */
  put(value: number, width: number): void {
    this.#held = (this.#held << width) | value;
    this.#count += width;
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#byte((this.#held >>> this.#count) & 0xff);
    }
  }

  /** Fills the last byte with zeros. */
  pad(): void {
    if (this.#count > 0) this.put(0, 8 - this.#count);
  }

  /** Takes the whole bytes written so far. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return taken;
  }

  #byte(value: number): void {
    if (this.#at === this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.allocUnsafe(this.#bytes.length)]);
    this.#bytes[this.#at++] = value;
  }
}
