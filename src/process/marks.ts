/** Enough to tell apart all processes of one host that live at once; small enough for every system's limit. */
const MARK_COUNT = 4000;

/** Numbers that the descendants of one child have in common. A number comes back only after all others. */
export class Marks {
  readonly #used = new Set<number>();
  #last = 0;

  take(): number {
    do this.#last = (this.#last % MARK_COUNT) + 1;
    while (this.#used.has(this.#last) && this.#used.size < MARK_COUNT);
    this.#used.add(this.#last);
    return this.#last;
  }

  release(mark: number): void {
    this.#used.delete(mark);
  }
}
