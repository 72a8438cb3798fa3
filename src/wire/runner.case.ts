/** A real runner for tests of the wire: started by Node itself, on the interpreter that `CHARMER_TEST_PYTHON` or PATH names. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import type { JsonObject } from '../plugin-spec.ts';
import { type Conversation, type ConversationOptions, startConversation, type WireStreams } from './conversation.ts';
import type { Opened, OpenMessage } from './messages.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
// A version manager's shim costs more than the interpreter's start.
const named = process.env['CHARMER_TEST_PYTHON'] ?? 'python3';
const python = execFileSync(named, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** A runner, its wire, and what it printed. */
export interface TestRunner {
  readonly child: ChildProcess;
  readonly streams: WireStreams;
  readonly conversation: Conversation;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  /** All of standard output and error so far. */
  readonly printed: () => string;
}

/** A runner whose test dialect is open, with operations by name. */
export interface OpenRunner extends TestRunner {
  readonly opened: Opened;
  readonly slot: (operation: string) => number;
  readonly call: (operation: string, ...args: readonly unknown[]) => Promise<unknown>;
  readonly stream: (operation: string, ...args: readonly unknown[]) => AsyncIterableIterator<unknown>;
}

export function startRunner(options: ConversationOptions = {}): TestRunner {
  const flags = ['-I', '-S', '-X', 'utf8', '-X', `pycache_prefix=${join(tmpdir(), 'charmer-wire-tests')}`];
  const child = spawn(python, [...flags, join(root, 'runner/charmer_runner.py')], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const streams = wireOf(child);
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  return { child, streams, conversation: startConversation(streams, options), exited, printed: () => printed };
}

export async function openRunner(
  opening: JsonObject = {},
  options: ConversationOptions & { readonly open?: Partial<OpenMessage> } = {},
): Promise<OpenRunner> {
  const runner = startRunner(options);
  await runner.conversation.hello();
  const opened = await runner.conversation.open(openMessage(opening, options.open));
  const slot = (operation: string): number => {
    const found = opened.operations.findIndex(({ name }) => name === operation);
    if (found === -1) throw new Error(`Fixture has no operation '${operation}'`);
    return found;
  };
  return {
    ...runner,
    opened,
    slot,
    call: (operation, ...args) => runner.conversation.call(slot(operation), args),
    stream: (operation, ...args) => runner.conversation.stream(slot(operation), args),
  };
}

export function openMessage(opening: JsonObject, message: Partial<OpenMessage> = {}): OpenMessage {
  return {
    dialect: join(root, 'fixtures/wire/dialect.py'),
    importFirst: [join(root, 'fixtures/wire/plugin')],
    importLast: [],
    sitePackages: { kind: 'none' },
    opening: { module: 'wire_plugin', ...opening },
    ...message,
  };
}

export const loopDialect: string = join(root, 'fixtures/wire/loop_dialect.py');

/** Closes a runner and waits for its exit. */
export async function closeRunner(runner: TestRunner | undefined): Promise<void> {
  if (runner === undefined) return;
  runner.conversation.close();
  await runner.exited;
}

/** Everything that a stream yields. */
export async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function wireOf(child: ChildProcess): WireStreams {
  const [input, output, control, dumps] = (child.stdio as readonly unknown[]).slice(3);
  if (!(input instanceof Writable && control instanceof Writable)) throw new Error('Child has no input');
  if (!(output instanceof Readable && dumps instanceof Readable)) throw new Error('Child has no output');
  return { input, output, control, dumps };
}
