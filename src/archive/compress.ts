import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ProvisionError } from '../errors.ts';
import type { ArchiveRules } from '../plugin-spec.ts';

/** How an archive is compressed. */
export interface CompressOptions {
  readonly container: Exclude<ArchiveRules['container'], 'zip'>;
  /** Interpreter whose `bz2` module writes bzip2: needed for `tar.bz2`, unused for `tar.gz`. */
  readonly python?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compresses the pieces of a tar archive: one bzip2 stream at level 9, whose bytes are libbz2's own (row F4), or gzip
 * without name and time. Throws what making the pieces throws.
 *
 * @throws ProvisionError `PYTHON_NOT_FOUND` when there is no interpreter, or it cannot compress
 */
export async function* compress(pieces: Iterable<Buffer>, options: CompressOptions): AsyncGenerator<Buffer, void> {
  const { container, python, signal } = options;
  if (container === 'tar.gz') yield* throughGzip(pieces);
  else yield* throughPython(python ?? '', pieces, signal);
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
  if (python === '') throw cannotCompress('No interpreter was named, and bzip2 is written by Python', {});
  const env = { PATH: process.env['PATH'] };
  const child = spawn(python, ['-I', '-S', '-c', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'], env });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  const exited = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const complaint = collect(child.stderr);
  const fed = feed(child.stdin, pieces);
  // All three are awaited below; until then a failure of one must not be unhandled while another is read.
  for (const waiting of [exited, complaint, fed]) waiting.catch(() => undefined);
  try {
    for await (const piece of child.stdout) yield piece as Buffer;
    const [code, killer] = await exited;
    signal?.throwIfAborted();
    // What stopped the feeding is the caller's own error, such as a file that cannot be read.
    await fed;
    if (code !== 0) throw failed(python, await complaint, killer ?? `exit ${String(code)}`);
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn') !== true) throw error;
    throw cannotCompress(`Interpreter '${python}' cannot be started to write bzip2`, { cause: error, path: python });
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

function failed(python: string, complaint: string, end: string): ProvisionError {
  // The module itself or the library that it is linked to may be missing.
  const lacks = /^(?:ModuleNotFound|Import)Error\b/m.test(complaint);
  const message = lacks
    ? `Interpreter '${python}' has no module 'bz2', which writes archives of this kind`
    : `Interpreter '${python}' failed to write bzip2: ${complaint.split('\n').at(-1) || end}`;
  return cannotCompress(message, { path: python, stderrTail: complaint.split('\n') });
}

function cannotCompress(
  message: string,
  evidence: { cause?: unknown; path?: string; stderrTail?: string[] },
): ProvisionError {
  return new ProvisionError('PYTHON_NOT_FOUND', message, {
    ...evidence,
    hint: "Name a Python that can 'import bz2'; one that was built without it needs libbz2's headers and a new build",
  });
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
