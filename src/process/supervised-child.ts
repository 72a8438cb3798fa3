import type { Socket } from 'node:net';
import type { Child, ChildWire, ExitFacts } from './child.ts';
import { exitFacts, unknownExit } from './exit-facts.ts';
import type { ExitEvent, StartedProcess, SupervisorLink } from './supervisor-link.ts';
import { signalNumber } from './signal-names.ts';

/** Counts who needs the host program to stay alive. */
export interface KeepAlive {
  hold(): void;
  release(): void;
}

/** What a child of a supervisor is made of. */
export interface SupervisedParts {
  /** Whoever can signal the process. */
  readonly link: Pick<SupervisorLink, 'request'>;
  readonly started: Pick<StartedProcess, 'pid'>;
  /** Settles with nothing when nobody saw the end. */
  readonly exited: Promise<ExitEvent | undefined>;
  /** Inherited by all descendants of the child: how the supervisor knows them. */
  readonly mark: number;
  /** Connections by the child's descriptor. */
  readonly sockets: ReadonlyMap<number, Socket>;
  readonly launcher: 'exec' | 'fork';
  readonly launcherReason?: string | undefined;
  readonly keepAlive: KeepAlive;
}

/** A child whose life a supervisor watches and whose descriptors are connections of its own. */
export class SupervisedChild implements Child {
  readonly pid: number;
  declare readonly wire?: ChildWire;
  declare readonly stdin?: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly exited: Promise<ExitFacts>;
  readonly launcher: 'exec' | 'fork';
  declare readonly launcherReason?: string;
  readonly #parts: SupervisedParts;
  readonly #startedAt = performance.now();
  #wasSignalled = false;
  #isHeld = true;

  constructor(parts: SupervisedParts) {
    this.#parts = parts;
    this.pid = parts.started.pid;
    this.launcher = parts.launcher;
    if (parts.launcherReason !== undefined) this.launcherReason = parts.launcherReason;
    this.stdout = outgoing(parts.sockets, 1);
    this.stderr = outgoing(parts.sockets, 2);
    if (parts.sockets.has(0)) this.stdin = incoming(parts.sockets, 0);
    if (parts.sockets.has(3)) {
      this.wire = {
        input: incoming(parts.sockets, 3),
        output: outgoing(parts.sockets, 4),
        control: incoming(parts.sockets, 5),
        dumps: outgoing(parts.sockets, 6),
      };
    }
    parts.keepAlive.hold();
    this.exited = this.#watch();
  }

  async signal(name: NodeJS.Signals, to: 'process' | 'group' = 'process'): Promise<void> {
    const { link, mark } = this.#parts;
    this.#wasSignalled = true;
    const fields = { pid: this.pid, mark, signal: signalNumber(name), group: to === 'group' };
    // A supervisor that has ended has taken its children with it.
    await link.request('signal', fields).catch(() => undefined);
  }

  ref(): void {
    for (const socket of this.#parts.sockets.values()) if (!socket.destroyed) socket.ref();
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#parts.keepAlive.hold();
  }

  unref(): void {
    for (const socket of this.#parts.sockets.values()) if (!socket.destroyed) socket.unref();
    this.#letGo();
  }

  async #watch(): Promise<ExitFacts> {
    const event = await this.#parts.exited;
    this.#letGo();
    const durationMs = performance.now() - this.#startedAt;
    // A copy lived before it became this child.
    const life = this.launcher === 'fork' ? { durationMs } : {};
    if (event !== undefined) return exitFacts(this.pid, { ...event, ...life }, this.#wasSignalled);
    // Nobody watches the process any more: what it reads ends, so that a process that is still there ends by itself.
    for (const channel of [0, 3, 5]) this.#parts.sockets.get(channel)?.destroy();
    return unknownExit(this.pid, durationMs);
  }

  #letGo(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#parts.keepAlive.release();
  }
}

/** A connection that the child reads. */
function incoming(sockets: ReadonlyMap<number, Socket>, channel: number): Socket {
  const socket = outgoing(sockets, channel);
  // Nothing comes this way; reading is how the end of the child's side is noticed.
  socket.resume();
  return socket;
}

/** A connection that the child writes. */
function outgoing(sockets: ReadonlyMap<number, Socket>, channel: number): Socket {
  const socket = sockets.get(channel);
  if (socket === undefined) throw new RangeError(`Channel ${channel} is not connected`);
  return socket;
}
