import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Readable as NodeReadable } from 'node:stream';
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
 * without name and time. Throws `ARCHIVE_INVALID` with reason `compression-unavailable` when the interpreter fails.
 */
export async function* compress(pieces: Iterable<Buffer>, options: CompressOptions): AsyncGenerator<Buffer, void> {
  if (options.container === 'tar.gz') {
    yield* throughGzip(pieces);
    return;
  }
  const { head, rest } = split(pieces);
  if (options.python === undefined || rest === undefined) {
    for (const piece of writeBzip2(chain(head, rest))) {
      options.signal?.throwIfAborted();
      yield piece;
      await nextTurn();
    }
    return;
  }
  yield* throughPython(options.python, chain(head, rest), options.signal);
}

const PROGRAM = `
import bz2, sys
compressor = bz2.BZ2Compressor(9)
for piece in iter(lambda: sys.stdin.buffer.read(1 << 20), b''):
    sys.stdout.buffer.write(compressor.compress(piece))
sys.stdout.buffer.write(compressor.flush())
`;

async function* throughPython(
  python: string,
  pieces: Iterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  const child = spawn(python, ['-I', '-S', '-c', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
  const exited = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const complaint = collect(child.stderr);
  const fed = feed(child.stdin, pieces);
  // Both are awaited below; until then a failure of one must not be unhandled while the other is read.
  fed.catch(() => undefined);
  exited.catch(() => undefined);
  try {
    for await (const piece of child.stdout) {
      signal?.throwIfAborted();
      yield piece as Buffer;
    }
    const [code] = await exited;
    if (code !== 0) throw new Error(`exit ${String(code)}: ${await complaint}`);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw archiveFailure('compression-unavailable', `Interpreter '${python}' cannot compress with its bz2 module`, {
      cause,
      hint: 'Name another interpreter, or none: then JavaScript compresses',
    });
  } finally {
    child.kill('SIGKILL');
  }
  // What stopped the feeding is the caller's own error, such as a file that cannot be read.
  await fed;
}

async function feed(input: Writable, pieces: Iterable<Buffer>): Promise<void> {
  try {
    for (const piece of pieces)
      if (!input.write(piece)) await Promise.race([once(input, 'drain'), once(input, 'close')]);
  } finally {
    input.end();
  }
}

async function collect(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const piece of stream) parts.push(piece as Buffer);
  return Buffer.concat(parts).toString().trim();
}

async function* throughGzip(pieces: Iterable<Buffer>): AsyncGenerator<Buffer, void> {
  const gzip = createGzip({ level: constants.Z_DEFAULT_COMPRESSION });
  const fed = pipeline(NodeReadable.from(pieces), gzip);
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
