/** How long a node may work on one input. Time in which the node waits for its consumers does not count (R44). */

/** One deadline for one turn. */
export class TurnDeadline {
  readonly #timeoutMs: number;
  readonly #onPassed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #used = 0;
  #runningSince: number | undefined;

  /** @param timeoutMs Milliseconds of work; Infinity: none. */
  constructor(timeoutMs: number, onPassed: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onPassed = onPassed;
    this.resume();
    if (timeoutMs !== Infinity) this.#arm(timeoutMs);
  }

  /** The node works. */
  resume(): void {
    this.#runningSince = performance.now();
  }

  /** The node waits for somebody else. */
  pause(): void {
    this.#used = this.usedMs;
    this.#runningSince = undefined;
  }

  /** Milliseconds of work so far. */
  get usedMs(): number {
    return this.#used + (this.#runningSince === undefined ? 0 : performance.now() - this.#runningSince);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  /** One timer for the whole turn, set anew only when it comes too early: a timer per output would cost more than the output. */
  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#timeoutMs - this.usedMs;
      if (left <= 0) this.#onPassed();
      else this.#arm(Math.max(1, left));
    }, delayMs);
  }
}
