/**
 * One fork server: an interpreter that copies itself, and copies that wait for their order.
 *
 * Invariants: a spare is used once; spares are made after the reply, not while a call runs; the end of the server ends
 * no running child, for the supervisor adopts them.
 */
import type { LaunchPlan } from '../plugin-spec.ts';
import {
  CopyEndedError,
  type ForkOrder,
  NotForkableError,
  ORDER_CHANNEL,
  OrderChannel,
  orderOf,
} from './fork-order.ts';
import { type ForkServerOptions, startForkServer, type StartedServer } from './fork-server-start.ts';
import { untilGivenUp } from './given-up.ts';
import { channelsOf, launch, type LaunchContext, type Launched, startError, startTimedOut } from './launch.ts';
import { signalNumber } from './signal-names.ts';
import type { StartOptions } from './supervision.ts';
import { type KeepAlive, SupervisedChild } from './supervised-child.ts';
import type { ExitEvent, SupervisorLink } from './supervisor-link.ts';

/** Under load a server keeps more spares, up to so many. */
const MAX_SPARES = 8;
/** Spares that have been through a call in rehearsal: they answer in half the time, and hold 2 MiB of their own. */
const MAX_REHEARSED = 8;
/** When a spare is made although the call that took one still runs. */
const REFILL_DELAY_MS = 25;
/** A copy that has told its end takes a millisecond to go. */
const LAST_WORDS_MS = 2000;
/** A copy takes its order in a millisecond; one that does not answer for so long never will. */
const ORDER_TIMEOUT_MS = 30_000;

/** An interpreter that copies itself. */
export class ForkServer {
  readonly #supervisor: LaunchContext;
  readonly #server: StartedServer;
  readonly #context: LaunchContext;
  readonly #channels: readonly number[];
  readonly #flags: readonly string[];
  readonly #spares = new Set<Launched>();
  readonly #rehearsed = new Set<Launched>();
  #wanted: number;
  readonly #parking = new Set<Promise<void>>();
  #running = 0;
  #isRetired = false;
  #refill: NodeJS.Timeout | undefined;
  /** Whoever can signal the copies. */
  readonly #reach: Pick<SupervisorLink, 'request'> = {
    request: (verb, fields) => (this.isClosed ? this.#supervisor.link : this.#server.link).request(verb, fields),
  };

  private constructor(supervisor: LaunchContext, server: StartedServer, options: ForkServerOptions) {
    this.#supervisor = supervisor;
    this.#server = server;
    this.#context = { ...supervisor, link: server.link, keepAlive: keepAliveOf(server.child) };
    // Standard input is always connected: where a plan wants none, the copy puts the null device in its place.
    this.#channels = [...new Set([0, ...channelsOf(options.plan), ORDER_CHANNEL])];
    this.#flags = options.forkable.flags;
    this.#wanted = options.spares;
  }

  /** Errors as those of `startForkServer`. */
  static async start(supervisor: LaunchContext, options: ForkServerOptions): Promise<ForkServer> {
    return new ForkServer(supervisor, await startForkServer(supervisor, options), options);
  }

  get pid(): number {
    return this.#server.child.pid;
  }

  get isClosed(): boolean {
    return this.#server.link.isClosed;
  }

  /** Settles when the server has ended, whatever its copies do. */
  get exited(): Promise<unknown> {
    return this.#server.child.exited;
  }

  /** Modules that were not imported ahead, with the reason. */
  get failed(): Readonly<Record<string, string>> {
    return this.#server.failed;
  }

  /** Makes spares until there are as many as wanted. */
  async fill(): Promise<void> {
    clearTimeout(this.#refill);
    this.#refill = undefined;
    if (this.#isRetired || this.isClosed) return;
    const parked = this.#rehearsed.size + this.#spares.size + this.#parking.size;
    for (let missing = this.#wanted - parked; missing > 0; missing -= 1) {
      const parking = this.#park();
      this.#parking.add(parking);
      void parking.finally(() => this.#parking.delete(parking));
    }
    await Promise.all(this.#parking);
  }

  /**
   * Starts a plan in a copy.
   *
   * @throws NotForkableError, and errors as those of `Supervisor.exec`
   */
  async fork(plan: LaunchPlan, options: StartOptions): Promise<SupervisedChild> {
    const { keepAlive } = this.#context;
    keepAlive.hold();
    this.#running += 1;
    try {
      const [launched, channel] = await this.#ordered(orderOf(plan, this.#flags), options);
      return this.#childOf(launched, channel, plan);
    } catch (error) {
      this.#finished();
      throw startError(error, plan);
    } finally {
      keepAlive.release();
    }
  }

  /** Takes no more plans; ends when its last child has ended. */
  retire(): void {
    this.#isRetired = true;
    for (const spare of [...this.#rehearsed, ...this.#spares]) {
      this.#forget(spare);
      drop(spare);
    }
    clearTimeout(this.#refill);
    if (this.#running === 0) this.#server.link.end();
  }

  /** A copy that has accepted the order: a spare, or one made for it. */
  async #ordered(order: ForkOrder, options: StartOptions): Promise<readonly [Launched, OrderChannel]> {
    const spare = this.#takeSpare();
    const launched = spare ?? (await this.#launchWith({ order }, options));
    const socket = launched.sockets.get(ORDER_CHANNEL);
    if (socket === undefined) throw new NotForkableError('the copy has no channel for its order');
    const channel = new OrderChannel(socket);
    if (spare !== undefined) channel.give(order);
    try {
      await this.#accepted(launched, channel.accepted(), options);
      return [launched, channel];
    } catch (error) {
      // A spare may have been killed while it was parked.
      if (error instanceof CopyEndedError && spare !== undefined) return this.#ordered(order, options);
      throw error;
    }
  }

  #takeSpare(): Launched | undefined {
    for (const spare of [...this.#rehearsed, ...this.#spares].slice(0, 1)) {
      this.#forget(spare);
      for (const socket of spare.sockets.values()) socket.ref();
      return spare;
    }
    if (this.#wanted > 0 && this.#wanted < MAX_SPARES) this.#wanted += 1;
    return undefined;
  }

  async #park(): Promise<void> {
    const rehearse = this.#rehearsed.size + this.#parking.size < MAX_REHEARSED;
    try {
      const spare = await this.#launchWith({ rehearse }, {});
      for (const socket of spare.sockets.values()) socket.unref();
      if (this.#isRetired) drop(spare);
      else (rehearse ? this.#rehearsed : this.#spares).add(spare);
      void spare.started.exited.then(() => {
        if (this.#forget(spare)) drop(spare);
      });
    } catch {
      // A call that finds no spare makes a copy of its own, and tells why when that fails as well.
    }
  }

  #forget(spare: Launched): boolean {
    return this.#rehearsed.delete(spare) || this.#spares.delete(spare);
  }

  #launchWith(
    fields: { readonly order?: ForkOrder; readonly rehearse?: boolean },
    options: StartOptions,
  ): Promise<Launched> {
    return launch(this.#context, { verb: 'fork', channels: this.#channels, fields: { ...fields } }, options);
  }

  async #accepted(launched: Launched, accepted: Promise<void>, options: StartOptions): Promise<void> {
    const timeoutMs = options.timeoutMs ?? ORDER_TIMEOUT_MS;
    try {
      await untilGivenUp(accepted, { signal: options.signal, timeoutMs }, () => startTimedOut(timeoutMs));
    } catch (error) {
      drop(launched);
      const fields = { pid: launched.started.pid, mark: launched.mark, signal: signalNumber('SIGKILL'), group: true };
      void this.#reach.request('signal', fields).catch(() => undefined);
      throw error;
    }
  }

  #childOf(launched: Launched, channel: OrderChannel, plan: LaunchPlan): SupervisedChild {
    const sockets = new Map(launched.sockets);
    if (plan.stdin === 'null') {
      sockets.get(0)?.destroy();
      sockets.delete(0);
    }
    const { mark, started } = launched;
    const { keepAlive } = this.#context;
    const gone = this.#exitOf(launched);
    const exited = firstWord(channel, gone);
    const child = new SupervisedChild({
      link: this.#reach,
      started,
      exited,
      mark,
      sockets,
      launcher: 'fork',
      keepAlive,
    });
    this.#refill ??= setTimeout(() => void this.fill(), REFILL_DELAY_MS).unref();
    void gone.then(() => {
      this.#finished();
      setImmediate(() => void this.fill());
    });
    void exited.then(() => this.#seeItGone(child, gone));
    return child;
  }

  /** The exit as the server tells it, or the supervisor when the server has not lived to. */
  async #exitOf({ started, mark }: Launched): Promise<ExitEvent | undefined> {
    const event = await started.exited;
    if (event !== undefined) return event;
    // Only when the server is gone do its children pass to the supervisor.
    await this.exited;
    try {
      const adopted = await this.#supervisor.link.start('adopt', { pid: started.pid, mark });
      return await adopted.exited;
    } catch {
      return undefined;
    }
  }

  /** A process that said that it ends must end: nobody waits for it any more. */
  async #seeItGone(child: SupervisedChild, gone: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => void child.signal('SIGKILL', 'group'), LAST_WORDS_MS).unref();
    await gone;
    clearTimeout(timer);
  }

  #finished(): void {
    this.#running -= 1;
    if (this.#isRetired && this.#running === 0) this.#server.link.end();
  }
}

/** The end as the copy tells it itself, which comes first, or as whoever reaped it does. */
async function firstWord(channel: OrderChannel, gone: Promise<ExitEvent | undefined>): Promise<ExitEvent | undefined> {
  const told = await Promise.race([channel.ended, gone.then(() => undefined)]);
  return told === undefined ? gone : { event: 'exit', id: 0, signal: null, durationMs: 0, ...told };
}

/** Lets go of a copy that is not needed: without its connections it ends. */
function drop(launched: Launched): void {
  for (const socket of launched.sockets.values()) socket.destroy();
}

/** Counts who needs the server, which itself keeps nobody alive. */
function keepAliveOf(child: SupervisedChild): KeepAlive {
  let holders = 0;
  child.unref();
  return {
    hold: () => {
      if (holders++ === 0) child.ref();
    },
    release: () => {
      if (--holders === 0) child.unref();
    },
  };
}
