/**
 * The control bus of one session: taps, intercepts and what the session itself tells (spec 8.4).
 *
 * Invariants: a tap sees a value before an intercept can change it; nothing here ever blocks a node, except an intercept
 * within its deadline; the end of the session closes every tap and every intercept.
 */
import { PipelineError } from '../errors.ts';
import type { RuntimeData } from '../runtime-data.ts';
import { PERFORMANCE_NODE, parseAddress, SYSTEM_NODE, TIMELINE_NODE } from './bus-address.ts';
import { ControlAddressError } from './bus-errors.ts';
import { INTERCEPT_DEADLINE_MS, InterceptSession } from './intercept.ts';
import { Subscription } from './subscription.ts';

/** Progress events kept for those who subscribe late. */
const SYSTEM_RING = 256;

/** One progress event, as JSON on `__system__.out` (R47). */
export interface SystemEvent {
  readonly kind: string;
  readonly status: string;
  readonly message: string;
  readonly node?: string;
}

/** What a bus needs of its session. */
export interface BusOptions {
  readonly nodeIds: readonly string[];
  readonly warn: (message: string, node: string) => void;
  /** Whether late subscribers of `__system__.out` get what has been told. @default true */
  readonly replaysSystem?: boolean;
}

/** Taps and intercepts of one session. */
export class ControlBus {
  readonly #options: BusOptions;
  readonly #taps = new Map<string, Set<Subscription>>();
  readonly #intercepts = new Map<string, InterceptSession>();
  readonly #published = new Map<string, number>();
  readonly #system: RuntimeData[] = [];
  #isClosed = false;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  /** Whether anything passes differently because of intercepts. */
  get hasIntercepts(): boolean {
    return this.#intercepts.size > 0;
  }

  /**
   * Listens to what leaves a node, to one of its ports, or to `__system__`, `__perf__`, `__timeline__`.
   *
   * @throws ControlAddressError `PORT_UNKNOWN` for anything but `<node>.out[.port]`
   * @throws PipelineError `NODE_UNKNOWN`
   */
  subscribe(address: string): Subscription {
    const { node } = parseAddress(address, 'out');
    if (![SYSTEM_NODE, PERFORMANCE_NODE, TIMELINE_NODE].includes(node)) this.checkNode(node);
    const subscription = new Subscription(address, () => this.#taps.get(address)?.delete(subscription));
    const taps = this.#taps.get(address) ?? new Set();
    this.#taps.set(address, taps.add(subscription));
    if (address === `${SYSTEM_NODE}.out` && this.#options.replaysSystem !== false) {
      for (const event of this.#system) subscription.deliver(event);
    }
    if (this.#isClosed) subscription.close();
    return subscription;
  }

  /**
   * Decides about what passes a node's `in` or `out`, or one of its `out` ports; one intercept per address.
   *
   * @throws ControlAddressError `PORT_UNKNOWN`
   * @throws PipelineError `NODE_UNKNOWN`, `PIPELINE_INVALID` when the place is taken
   */
  intercept(address: string, deadlineMs: number = INTERCEPT_DEADLINE_MS): InterceptSession {
    const { node, port, direction } = parseAddress(address, /^[^.]*\.in/u.test(address) ? 'in' : 'out');
    this.checkNode(node);
    if (direction === 'in' && port !== undefined) {
      throw new ControlAddressError(
        `'${address}' cannot be intercepted, '<node>.in', '<node>.out' or '<node>.out.<port>' is expected`,
      );
    }
    if (this.#intercepts.has(address)) {
      throw new PipelineError('PIPELINE_INVALID', `'${address}' has an intercept already, close that one first`);
    }
    const session = new InterceptSession(address, deadlineMs, {
      missed: () =>
        this.#options.warn(`No decision about '${address}' within ${deadlineMs} ms, the value passed`, node),
      closed: () => this.#intercepts.delete(address),
    });
    this.#intercepts.set(address, session);
    return session;
  }

  interceptAt(address: string): InterceptSession | undefined {
    return this.#intercepts.get(address);
  }

  /** Shows a value to those who listen at an address. */
  tap(address: string, data: RuntimeData): void {
    const taps = this.#taps.get(address);
    if (taps !== undefined) for (const subscription of taps) subscription.deliver(data);
  }

  /** Tells about the session itself; `make` runs only when somebody listens. */
  tell(node: string, make: () => unknown): void {
    const address = `${node}.out`;
    if ((this.#taps.get(address)?.size ?? 0) > 0) this.tap(address, { type: 'json', value: make() });
  }

  /** R47: one progress event, kept for late subscribers. */
  progress(event: SystemEvent): void {
    const data: RuntimeData = { type: 'json', value: { ...event, ts_ms: Date.now() } };
    this.#system.push(data);
    if (this.#system.length > SYSTEM_RING) this.#system.shift();
    this.tap(`${SYSTEM_NODE}.out`, data);
  }

  /** Counts a publish. */
  countPublished(address: string): void {
    this.#published.set(address, this.published(address) + 1);
  }

  /** How many publishes an address has seen. */
  published(address: string): number {
    return this.#published.get(address) ?? 0;
  }

  /** @throws PipelineError `NODE_UNKNOWN` */
  checkNode(node: string): void {
    if (this.#options.nodeIds.includes(node)) return;
    const known = this.#options.nodeIds.map((id) => `'${id}'`).join(', ');
    throw new PipelineError('NODE_UNKNOWN', `The session has no node '${node}', one of ${known} is expected`);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const intercept of [...this.#intercepts.values()]) intercept.close();
    for (const taps of [...this.#taps.values()]) for (const subscription of [...taps]) subscription.close();
  }
}
