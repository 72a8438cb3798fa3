/** A bounded number of places with a first-come queue. */
export class Slots {
  readonly #limit: number;
  readonly #waiting: { readonly take: () => void }[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Waits for a place and gives the function that frees it.
   *
   * @throws the signal's reason when the caller gives up first
   */
  async take(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#taken < this.#limit && this.#waiting.length === 0) this.#taken += 1;
    else await this.#queue(signal);
    let isFreed = false;
    return () => {
      if (isFreed) return;
      isFreed = true;
      this.#free();
    };
  }

  #queue(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = {
        take: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(entry);
    });
  }

  #free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.take();
  }
}

/** Waits for a place in each of several queues, in order: the narrow one first, so that a wide one is never held idle. */
export async function takeAll(queues: readonly Slots[], signal?: AbortSignal): Promise<() => void> {
  const frees: (() => void)[] = [];
  try {
    for (const queue of queues) frees.push(await queue.take(signal));
  } catch (error) {
    for (const free of frees) free();
    throw error;
  }
  return () => {
    for (const free of frees.reverse()) free();
  };
}
