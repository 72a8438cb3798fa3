import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveRules } from '../plugin-spec.ts';
import { archiveFailure } from './archive-failure.ts';
import { writeBzip2 } from './bzip2-write.ts';

/** How an archive is compressed. */
export interface CompressOptions {
  readonly container: Exclude<ArchiveRules['container'], 'zip'>;
  /** Interpreter whose `bz2` module compresses large archives; without one, JavaScript does, at a tenth of the speed. */
  readonly python?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Up to this many bytes JavaScript is faster than starting an interpreter. */
const SMALL_BYTES = 128 * 1024;

/**
 * Compresses the pieces of a tar archive: one bzip2 stream at level 9, the same bytes whichever way they are made, or gzip
 * without name and time. An interpreter that cannot compress is replaced by JavaScript as long as nothing has come of it.
 *
 * @param pieces Called for a fresh start; throws what making the pieces throws.
 *
 * Throws `ARCHIVE_INVALID` with reason `compression-unavailable` when the interpreter fails half-way.
 */
export async function* compress(
  pieces: () => Iterable<Buffer>,
  options: CompressOptions,
): AsyncGenerator<Buffer, void> {
  if (options.container === 'tar.gz') {
    yield* throughGzip(pieces());
    return;
  }
  const { head, rest } = split(pieces());
  if (options.python !== undefined && rest !== undefined) {
    const isDone = yield* throughPython(options.python, chain(head, rest), options.signal);
    if (isDone) return;
    yield* throughJavaScript(pieces(), options.signal);
    return;
  }
  yield* throughJavaScript(chain(head, rest), options.signal);
}

async function* throughJavaScript(
  pieces: Iterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  for (const piece of writeBzip2(pieces)) {
    signal?.throwIfAborted();
    yield piece;
    await nextTurn();
  }
}

const PROGRAM = `
import bz2, sys
compressor = bz2.BZ2Compressor(9)
for piece in iter(lambda: sys.stdin.buffer.read(1 << 20), b''):
    sys.stdout.buffer.write(compressor.compress(piece))
sys.stdout.buffer.write(compressor.flush())
`;

/** Returns false when the interpreter fails before it has written anything. */
async function* throughPython(
  python: string,
  pieces: Iterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, boolean> {
  const env = { PATH: process.env['PATH'] };
  const child = spawn(python, ['-I', '-S', '-c', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'], env });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  const exited = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const complaint = collect(child.stderr);
  const fed = feed(child.stdin, pieces);
  // All three are awaited below; until then a failure of one must not be unhandled while another is read.
  for (const waiting of [exited, complaint, fed]) waiting.catch(() => undefined);
  let written = 0;
  try {
    for await (const piece of child.stdout) {
      written += (piece as Buffer).length;
      yield piece as Buffer;
    }
    const [code] = await exited;
    if (code !== 0) throw new Error(`exit ${String(code)}: ${await complaint}`);
  } catch (cause) {
    signal?.throwIfAborted();
    if (written === 0) return false;
    throw archiveFailure('compression-unavailable', `Interpreter '${python}' failed to compress with its bz2 module`, {
      cause,
      hint: 'Name another interpreter, or none: then JavaScript compresses',
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
  // What stopped the feeding is the caller's own error, such as a file that cannot be read.
  await fed;
  return true;
}

async function feed(input: Writable, pieces: Iterable<Buffer>): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), input);
  } catch (error) {
    // A child that ends early closes its input; its exit says why.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code)) throw error;
  }
}

async function collect(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const piece of stream) parts.push(piece as Buffer);
  return Buffer.concat(parts).toString().trim();
}

async function* throughGzip(pieces: Iterable<Buffer>): AsyncGenerator<Buffer, void> {
  const gzip = createGzip({ level: constants.Z_DEFAULT_COMPRESSION });
  const fed = pipeline(Readable.from(pieces), gzip);
  fed.catch(() => undefined);
  for await (const piece of gzip) yield piece as Buffer;
  await fed;
}

interface Split {
  readonly head: readonly Buffer[];
  /** What is left to pull, or undefined when the head is everything. */
  readonly rest: Iterator<Buffer> | undefined;
}

function split(pieces: Iterable<Buffer>): Split {
  const iterator = pieces[Symbol.iterator]();
  const head: Buffer[] = [];
  for (let bytes = 0; bytes < SMALL_BYTES;) {
    const next = iterator.next();
    if (next.done === true) return { head, rest: undefined };
    head.push(next.value);
    bytes += next.value.length;
  }
  return { head, rest: iterator };
}

function* chain(head: readonly Buffer[], rest: Iterator<Buffer> | undefined): Generator<Buffer> {
  yield* head;
  for (let next = rest?.next(); next !== undefined && next.done !== true; next = rest?.next()) yield next.value;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
