/** The conversation with a supervisor: requests with ids, their replies, and the exits of children. No processes. */
import type { Readable, Writable } from 'node:stream';

/** Why a start failed between fork and command. */
export interface LaunchFailure {
  readonly stage: 'verb' | 'adopt' | 'fork' | 'prepare' | 'connect' | 'cwd' | 'limits' | 'exec';
  readonly errno: number;
  /** For example `ENOENT`. */
  readonly name: string;
  readonly reason: string;
  /** What the step was about: a program, a directory, a limit. */
  readonly path: string;
}

/** A reply: the fields that its verb gives, or an error. */
export interface SupervisorReply {
  readonly id: number;
  readonly pid?: number;
  readonly delivered?: boolean;
  readonly error?: LaunchFailure;
}

/** An exit as the supervisor tells it. */
export interface ExitEvent {
  readonly event: 'exit';
  /** Id of the request that started the child. */
  readonly id: number;
  readonly code: number | null;
  /** Number of the signal. */
  readonly signal: number | null;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** What a supervisor says first. */
export interface ReadyEvent {
  readonly event: 'ready';
  readonly pid: number;
  /** Of a fork server: modules that were not imported ahead, with the reason. */
  readonly failed?: Readonly<Record<string, string>>;
}

/** A started process, as the link knows it. */
export interface StartedProcess {
  readonly pid: number;
  /** Settles with nothing when nobody will ever know. */
  readonly exited: Promise<ExitEvent | undefined>;
}

/** The supervisor ended before it replied. */
export class LinkClosedError extends Error {
  override name = 'LinkClosedError';
  constructor() {
    super('The supervisor has ended');
  }
}

/** A child never became its command. */
export class LaunchFailedError extends Error {
  override name = 'LaunchFailedError';
  readonly failure: LaunchFailure;
  constructor(failure: LaunchFailure) {
    super(`${failure.stage}: ${failure.name} '${failure.path}'`);
    this.failure = failure;
  }
}

type Message = SupervisorReply | ExitEvent | ReadyEvent;
type Fields = Readonly<Record<string, unknown>>;
interface Pending {
  readonly resolve: (reply: SupervisorReply) => void;
  readonly reject: (reason: unknown) => void;
}

/** One supervisor's requests, replies and events. */
export class SupervisorLink {
  readonly #input: Writable;
  readonly #pending = new Map<number, Pending>();
  readonly #exits = new Map<number, (event: ExitEvent | undefined) => void>();
  #cutLine = '';
  #nextId = 1;
  #isClosed = false;
  #onReady: (event: ReadyEvent | undefined) => void = () => undefined;
  #onClosed: () => void = () => undefined;

  /** Settles with the supervisor's first words, or with nothing when it ended without any. */
  readonly ready: Promise<ReadyEvent | undefined>;
  /** Settles when the supervisor can be heard no more. */
  readonly closed: Promise<void>;

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    this.ready = new Promise((resolve) => (this.#onReady = resolve));
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
    input.on('error', () => undefined);
    output.setEncoding('utf8');
    output.on('data', (text: string) => this.#receive(text));
    output.on('error', () => this.#close());
    output.on('close', () => this.#close());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Sends a request.
   *
   * @throws LinkClosedError when the supervisor ends before it replies
   * @throws LaunchFailedError when it replies with an error
   */
  async request(verb: string, fields: Fields): Promise<SupervisorReply> {
    return this.#send(this.#nextId++, verb, fields);
  }

  /** Sends a request that starts a process; errors as those of `request`. */
  async start(verb: string, fields: Fields): Promise<StartedProcess> {
    const id = this.#nextId++;
    // Registered before the request is sent: the exit may arrive in the same chunk as the reply.
    const exited = new Promise<ExitEvent | undefined>((resolve) => this.#exits.set(id, resolve));
    try {
      const { pid = 0 } = await this.#send(id, verb, fields);
      return { pid, exited };
    } catch (error) {
      this.#exits.delete(id);
      throw error;
    }
  }

  /** Tells the supervisor to end all its children and itself. */
  end(): void {
    this.#input.end();
  }

  #send(id: number, verb: string, fields: Fields): Promise<SupervisorReply> {
    if (this.#isClosed) return Promise.reject(new LinkClosedError());
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#input.write(`${JSON.stringify({ id, verb, ...fields })}\n`);
    });
  }

  #receive(text: string): void {
    const lines = (this.#cutLine + text).split('\n');
    this.#cutLine = lines.pop() ?? '';
    for (const line of lines) this.#dispatch(JSON.parse(line) as Message);
  }

  #dispatch(message: Message): void {
    if (!('event' in message)) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error === undefined) pending?.resolve(message);
      else pending?.reject(new LaunchFailedError(message.error));
    } else if (message.event === 'exit') {
      this.#exits.get(message.id)?.(message);
      this.#exits.delete(message.id);
    } else {
      this.#onReady(message);
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onReady(undefined);
    for (const { reject } of this.#pending.values()) reject(new LinkClosedError());
    this.#pending.clear();
    for (const listener of this.#exits.values()) listener(undefined);
    this.#exits.clear();
    this.#onClosed();
  }
}
