import { CallError } from '../errors.ts';
import type { Child, ExitFacts } from './child.ts';
import { within } from '../within.ts';
import { type OutputTail, type OutputTailOptions, tailOutput } from './output-tail.ts';

/**
 * How long to read on after the exit while somebody else holds standard output: longer than the supervisor takes to
 * ask those left behind to end.
 */
const DRAIN_MS = 1000;

/** What to write, and how much to take. */
export interface CollectOptions {
  /** Written to standard input, which is then closed. @default nothing */
  readonly input?: Uint8Array | string;
  /** Most bytes of standard output. */
  readonly maxBytes: number;
  readonly stderr?: OutputTailOptions;
}

/** All that came out of a one-shot process. */
export interface CollectedOutput {
  readonly stdout: Buffer;
  readonly stderr: OutputTail;
  readonly exit: ExitFacts;
}

/**
 * Feeds a one-shot process and collects its output until it has ended.
 *
 * A process that never reads its input is ordinary: what it leaves unread is dropped.
 *
 * @throws CallError `OUTPUT_TOO_LARGE` at the first byte too many; the process is killed at once
 */
export async function collectOutput(child: Child, options: CollectOptions): Promise<CollectedOutput> {
  const stderr = tailOutput(child.stderr, { label: 'stderr', ...options.stderr });
  feed(child, options.input);
  const stdout = readCapped(child, options.maxBytes);
  try {
    const exit = await Promise.race([child.exited, rejection(stdout.ended)]);
    await within(Promise.all([stdout.ended, stderr.ended]), DRAIN_MS);
    return { stdout: Buffer.concat(stdout.chunks), stderr, exit };
  } finally {
    // Whoever still holds the pipes writes for nobody.
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdin?.destroy();
  }
}

interface CappedOutput {
  readonly chunks: Buffer[];
  readonly ended: Promise<void>;
}

function readCapped(child: Child, maxBytes: number): CappedOutput {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const ended = new Promise<void>((resolve, reject) => {
    const { stdout } = child;
    if (stdout.readableEnded || stdout.destroyed) resolve();
    stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      stdout.pause();
      // Killed first: the process is not to hear of a broken pipe and act on it.
      void child.signal('SIGKILL', 'group').finally(() => reject(tooLarge(maxBytes)));
    });
    stdout.on('error', () => resolve());
    stdout.once('end', resolve).once('close', resolve);
  });
  ended.catch(() => undefined);
  return { chunks, ended };
}

function feed(child: Child, input: Uint8Array | string | undefined): void {
  const { stdin } = child;
  if (stdin === undefined) return;
  // A process that ended or closed its input makes the rest of the input pointless, not the call.
  stdin.on('error', () => undefined);
  if (input === undefined) stdin.end();
  else stdin.end(input);
}

function tooLarge(maxBytes: number): CallError {
  return new CallError('OUTPUT_TOO_LARGE', `The plugin wrote more than ${maxBytes} bytes to standard output`, {
    hint: 'Raise the output limit, or have the plugin answer with less',
    details: { maxBytes },
  });
}

/** Settles only when `work` rejects. */
function rejection(work: Promise<unknown>): Promise<never> {
  return new Promise((_resolve, reject) => void work.catch(reject));
}
