import type { Readable } from 'node:stream';

import { CallError } from '../errors.ts';

/** Texts that end with a zero byte, in the order they were asked for. */
export class Dumps {
  readonly #waiters: ((text: string) => void)[] = [];
  #chunks: Buffer[] = [];

  constructor(stream: Readable) {
    stream.on('data', (chunk: Buffer) => {
      this.#push(chunk);
    });
  }

  /**
   * Waits for the next text that nobody else waits for.
   * @throws CallError `CALL_TIMEOUT`
   */
  async next(timeoutMs: number, ended: Promise<unknown>): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const arrived = new Promise<string>((resolve) => this.#waiters.push(resolve));
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const expected = `expected it within ${timeoutMs} ms`;
        reject(
          new CallError('CALL_TIMEOUT', `Runner did not write its stacks, ${expected}`, {
            hint: 'Its code may be inside of a C function, or have taken the signal SIGIO for itself',
          }),
        );
      }, timeoutMs);
    });
    const over = ended.then((reason) => {
      throw reason ?? new CallError('HOST_CLOSED', 'Conversation is closed, expected an open one to write its stacks');
    });
    try {
      return await Promise.race([arrived, late, over]);
    } finally {
      clearTimeout(timer);
    }
  }

  #push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, start)) {
      this.#chunks.push(chunk.subarray(start, end));
      this.#waiters.shift()?.(Buffer.concat(this.#chunks).toString('utf8'));
      this.#chunks = [];
      start = end + 1;
    }
    if (start < chunk.length) this.#chunks.push(chunk.subarray(start));
  }
}
