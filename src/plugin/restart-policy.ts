import { CallError } from '../errors.ts';

/** Crashes within `CRASH_WINDOW_MS` that open the breaker: two may be bad luck, three are a pattern. */
const CRASHES_TO_OPEN = 3;
const CRASH_WINDOW_MS = 60_000;
/** How long an open breaker refuses before it lets one start try again. */
const COOL_DOWN_MS = 10_000;
/** Waits before the next start, by the number of crashes within the window. */
const BACKOFF_MS: readonly number[] = [0, 0, 250, 1_000];

/** Decides whether and when a crashed worker is replaced. Starts that are still under way count as one. */
export class RestartPolicy {
  readonly #plugin: string;
  readonly #now: () => number;
  #crashes: number[] = [];
  #openedAt: number | undefined;

  constructor(plugin: string, now: () => number = Date.now) {
    this.#plugin = plugin;
    this.#now = now;
  }

  /** `closed`: starts are free; `open`: they are refused; `half-open`: one may try. */
  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#openedAt === undefined || this.#recent().length === 0) return 'closed';
    return this.#now() - this.#openedAt < COOL_DOWN_MS ? 'open' : 'half-open';
  }

  /** A worker died that nobody had asked to. */
  crashed(): void {
    this.#crashes = [...this.#recent(), this.#now()];
    if (this.#crashes.length >= CRASHES_TO_OPEN) this.#openedAt = this.#now();
  }

  /**
   * How long to wait before the next start, in milliseconds.
   *
   * @throws CallError `BREAKER_OPEN` while starts are refused
   */
  delayBeforeStart(): number {
    if (this.state === 'open') {
      const left = COOL_DOWN_MS - (this.#now() - (this.#openedAt ?? 0));
      throw new CallError(
        'BREAKER_OPEN',
        `Plugin '${this.#plugin}' crashed ${this.#crashes.length} times within ${CRASH_WINDOW_MS / 1000} s and is not started again for ${Math.ceil(left / 1000)} s`,
        {
          plugin: this.#plugin,
          hint: 'The errors of the crashed calls say how it died; mend the plugin, then call again or reload it.',
        },
      );
    }
    return BACKOFF_MS[Math.min(this.#recent().length, BACKOFF_MS.length - 1)] ?? 0;
  }

  #recent(): number[] {
    return this.#crashes.filter((at) => this.#now() - at < CRASH_WINDOW_MS);
  }
}
