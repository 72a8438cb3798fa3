/**
 * The stop ladder. Every rung is bounded, and all of them together take less than two seconds; the supervisor ends
 * what a process leaves behind at its exit, however politely it went.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Child, ExitFacts } from './child.ts';
import { holdNode } from './hold-node.ts';
import { within } from '../within.ts';

/** How long a process may take to end after it was asked in its own language. */
export const ASK_MS = 500;
/** How long after its input ended. */
export const CLOSE_INPUT_MS = 250;
/** How long after SIGTERM: handlers may save their work. */
export const TERMINATE_MS = 750;
/** How long the kernel and the supervisor may take after SIGKILL, against which there is no defence. */
export const KILL_MS = 250;
/** How long to read on after the exit, for what the process wrote last: somebody else may hold its pipes. */
export const DRAIN_MS = 100;

/** The first two rungs, for processes that understand more than signals. */
export interface PoliteStop {
  /** Asks the process to end in its own language. */
  ask?(): void;
  /** Ends its input. @default ends standard input and the wire's input */
  closeInput?(): void;
}

/** Ends a process: asks, closes its input, terminates, kills. Settles when it has ended. */
export function stopProcess(child: Child, polite: PoliteStop = {}): Promise<ExitFacts> {
  return holdNode(stop(child, polite));
}

async function stop(child: Child, polite: PoliteStop): Promise<ExitFacts> {
  const exit = await climb(child, polite);
  await child.signal('SIGTERM', 'group');
  await within(Promise.all([ended(child.stdout), ended(child.stderr)]), DRAIN_MS);
  return exit;
}

async function climb(child: Child, polite: PoliteStop): Promise<ExitFacts> {
  const { exited } = child;
  if (polite.ask !== undefined) {
    polite.ask();
    const exit = await within(exited, ASK_MS);
    if (exit !== undefined) return byHost(exit);
  }
  if (polite.closeInput !== undefined || child.stdin !== undefined || child.wire !== undefined) {
    closeInput(child, polite);
    const exit = await within(exited, CLOSE_INPUT_MS);
    if (exit !== undefined) return byHost(exit);
  }
  await child.signal('SIGTERM', 'group');
  const exit = await within(exited, TERMINATE_MS);
  if (exit !== undefined) return exit;
  await child.signal('SIGKILL', 'group');
  return (await within(exited, KILL_MS)) ?? exited;
}

function closeInput(child: Child, polite: PoliteStop): void {
  if (polite.closeInput !== undefined) {
    polite.closeInput();
    return;
  }
  child.stdin?.end();
  child.wire?.input.end();
}

/** An end that the host asked for, unless a fault came first. */
function byHost(exit: ExitFacts): ExitFacts {
  return exit.signal === null ? { ...exit, by: 'host' } : exit;
}

async function ended(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  await once(stream, 'close').catch(() => undefined);
}
