/** An order: what a copy of a fork server is to become, and its answer. */
import type { Socket } from 'node:net';
import type { LaunchPlan } from '../plugin-spec.ts';
import { type LaunchFailure, LaunchFailedError } from './supervisor-link.ts';

/** The channel on which a copy gets its order. */
export const ORDER_CHANNEL = 7;

/** Only an exec would give the process that the plan asks for. */
export class NotForkableError extends Error {
  override name = 'NotForkableError';
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
}

export function orderOf(plan: LaunchPlan, flags: readonly string[]): ForkOrder {
  const { argv, cwd, env, limits, stdin } = plan;
  return { argv, flags: flags.length, cwd, env, limits, stdin };
}

/** Gives the order to a copy that waits for it. */
export function giveOrder(channel: Socket, order: ForkOrder): void {
  channel.write(`${JSON.stringify(order)}\n`);
}

/**
 * Settles when a copy goes on as the command.
 *
 * @throws NotForkableError when it cannot be what an exec would be, or ended before it said so
 * @throws LaunchFailedError when an exec could not have been either
 */
export async function orderAccepted(channel: Socket): Promise<void> {
  const text = await readToEnd(channel);
  if (text === '\n') return;
  if (text === '') throw new NotForkableError('the copy ended before it had its order');
  const failure = JSON.parse(text) as Omit<LaunchFailure, 'stage'> & {
    readonly stage: LaunchFailure['stage'] | 'fallback';
  };
  if (failure.stage === 'fallback') throw new NotForkableError(failure.reason);
  throw new LaunchFailedError({ ...failure, stage: failure.stage });
}

function readToEnd(channel: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    channel.setEncoding('utf8');
    channel.on('data', (chunk: string) => (text += chunk));
    const finish = (): void => resolve(text);
    if (channel.readableEnded || channel.destroyed) finish();
    channel.once('end', finish).once('close', finish);
  });
}
