/** An order: what a copy of a fork server is to become, and what the copy says of it and of its end. */
import type { Socket } from 'node:net';
import type { LaunchPlan } from '../plugin-spec.ts';
import { type LaunchFailure, LaunchFailedError } from './supervisor-link.ts';

/** The channel on which a copy gets its order. */
export const ORDER_CHANNEL = 7;

/** Only an exec would give the process that the plan asks for. */
export class NotForkableError extends Error {
  override name = 'NotForkableError';
}

/** A copy ended before it had its order: another one may do. */
export class CopyEndedError extends NotForkableError {
  override name = 'CopyEndedError';
  constructor() {
    super('the copy ended before it had its order');
  }
}

/** What a copy needs to know of a plan. */
export interface ForkOrder {
  readonly argv: readonly string[];
  /** How many words after the program are flags of the interpreter. */
  readonly flags: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: LaunchPlan['limits'];
  readonly stdin: LaunchPlan['stdin'];
  /** Directories that the process will put before everything else on its import path. */
  readonly importFirst: readonly string[];
}

/** What a copy says of its end, just before it. */
export interface ToldEnd {
  readonly code: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** The order for a plan whose command starts with these interpreter flags. */
export function orderOf(plan: LaunchPlan, flags: readonly string[]): ForkOrder {
  const { argv, cwd, env, limits, stdin, importPath } = plan;
  return { argv, flags: flags.length, cwd, env, limits, stdin, importFirst: importPath.first };
}

type Report = Omit<LaunchFailure, 'stage'> & { readonly stage: LaunchFailure['stage'] | 'fallback' };

/** The conversation with one copy. */
export class OrderChannel {
  readonly #socket: Socket;
  #cutLine = '';
  #settle: (answer: true | Report | undefined) => void = () => undefined;
  #tell: (end: ToldEnd | undefined) => void = () => undefined;
  readonly #answer = new Promise<true | Report | undefined>((resolve) => (this.#settle = resolve));

  /** Settles when the copy says that it ends, or with nothing when it can say no more. */
  readonly ended: Promise<ToldEnd | undefined> = new Promise((resolve) => (this.#tell = resolve));

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
    const finish = (): void => this.#finish();
    if (socket.readableEnded || socket.destroyed) finish();
    socket.once('end', finish).once('close', finish);
  }

  /** Gives the order to a copy that waits for it. */
  give(order: ForkOrder): void {
    this.#socket.write(`${JSON.stringify(order)}\n`);
  }

  /**
   * Settles when the copy goes on as the command.
   *
   * @throws NotForkableError when it cannot be what an exec would be
   * @throws CopyEndedError
   * @throws LaunchFailedError when an exec could not have been either
   */
  async accepted(): Promise<void> {
    const answer = await this.#answer;
    if (answer === true) return;
    if (answer === undefined) throw new CopyEndedError();
    if (answer.stage === 'fallback') throw new NotForkableError(answer.reason);
    throw new LaunchFailedError({ ...answer, stage: answer.stage });
  }

  #receive(text: string): void {
    const lines = (this.#cutLine + text).split('\n');
    this.#cutLine = lines.pop() ?? '';
    for (const line of lines) this.#hear(line);
  }

  #hear(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) return;
    if ('accepted' in message) this.#settle(true);
    else if ('stage' in message) this.#settle(message);
    else this.#tell(message);
  }

  #finish(): void {
    this.#settle(undefined);
    this.#tell(undefined);
  }
}

/** A plugin may find the descriptor and write on it: what makes no sense is not heard. */
function parseMessage(line: string): { readonly accepted: true } | Report | ToldEnd | undefined {
  try {
    const message = JSON.parse(line) as { readonly accepted: true } | Report | ToldEnd;
    const isKnown = 'accepted' in message || 'stage' in message || Number.isInteger(message.code);
    return isKnown ? message : undefined;
  } catch {
    return undefined;
  }
}
