import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ArchiveRules } from '../plugin-spec.ts';
import type { ArchiveEntries } from './archive-entry.ts';
import { archiveFailure, archiveReason } from './archive-failure.ts';
import { maxStreamBytes, type UnpackLimits } from './archive-limits.ts';
import { ByteSource } from './byte-source.ts';
import { readBzip2 } from './bzip2-read.ts';
import { readTar } from './tar-read.ts';
import { readZip } from './zip-read.ts';

/** An archive file, open for reading; the same bytes however often its entries are walked. */
export interface OpenArchive {
  /** Size of the file, in bytes. */
  readonly bytes: number;
  /** Walks the entries once more, from the first. */
  entries(limits: UnpackLimits): ArchiveEntries;
  /**
   * Reads on from where the last walk ended to the end of the compressed stream, and says what was left over, or
   * undefined (row FW29). Throws `stream-invalid` where the rest is damaged.
   */
  remark(): Promise<string | undefined>;
  close(): void;
}

/**
 * Opens an archive. Throws `ARCHIVE_INVALID` with reason `cannot-open` and the system's error as cause; what is inside is
 * looked at when the entries are walked.
 */
export function openArchive(file: string, container: ArchiveRules['container']): OpenArchive {
  const descriptor = attempt(file, 'cannot-open', () => openSync(file, 'r'));
  const bytes = fstatSync(descriptor).size;
  const close = (): void => closeSync(descriptor);
  if (container === 'zip') {
    return { bytes, entries: () => readZip(descriptor, file), remark: async () => undefined, close };
  }
  let source: ByteSource | undefined;
  let tail: Tail = {};
  let kept: Kept | undefined;
  const entries = (limits: UnpackLimits): ArchiveEntries => {
    if (kept?.isWhole === true) return readTar((source = new ByteSource(replay(kept.pieces))), limits);
    tail = {};
    kept = { pieces: [], bytes: 0, isWhole: false };
    const plain = container === 'tar.bz2' ? gunBzip2(descriptor, file, tail) : gunzip(descriptor);
    source = new ByteSource(keeping(capped(plain, maxStreamBytes(limits)), kept));
    return readTar(source, limits);
  };
  return { bytes, entries, remark: () => remarkOn(source, tail), close };
}

/** What the end of a compressed stream told. */
interface Tail {
  remark?: string;
}

/** What the first walk decompressed, so that the second need not do it again. */
interface Kept {
  pieces: Buffer[];
  bytes: number;
  isWhole: boolean;
}

/** Decompressed archives up to this size are kept in memory between two walks. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** One read of the compressed file. */
const READ_BYTES = 256 * 1024;
/** Bytes after the end of the archive that are still read to verify the stream. */
const MAX_REST_BYTES = 16 * 1024 * 1024;

async function* gunBzip2(descriptor: number, file: string, tail: Tail): AsyncGenerator<Buffer, void> {
  let position = 0;
  const pull = (): Buffer | undefined => {
    const piece = Buffer.allocUnsafe(READ_BYTES);
    const read = attempt(file, 'cannot-read', () => readSync(descriptor, piece, 0, READ_BYTES, position));
    position += read;
    return read === 0 ? undefined : piece.subarray(0, read);
  };
  const end = yield* readBzip2(pull);
  if (end.trailingBytes === 0) return;
  const what = end.hasSecondStream ? 'a second bzip2 stream of' : 'after its compressed data';
  tail.remark = end.hasSecondStream
    ? `Archive has ${what} ${end.trailingBytes} bytes, which is not read`
    : `Archive has ${end.trailingBytes} bytes ${what}, which are not read`;
}

async function* gunzip(descriptor: number): AsyncGenerator<Buffer, void> {
  // Not a file stream: destroying one closes the descriptor, which the next walk still needs.
  const compressed = Readable.from(piecesOf(descriptor));
  const plain = compressed.pipe(createGunzip());
  compressed.on('error', (error) => plain.destroy(error));
  try {
    for await (const piece of plain) yield piece as Buffer;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'Z_BUF_ERROR')
      throw archiveFailure('stream-cut', 'Archive ends before its compressed data does', { cause });
    if (code === 'Z_DATA_ERROR')
      throw archiveFailure('stream-invalid', 'Archive is damaged: it is no valid gzip data', { cause });
    throw cause;
  } finally {
    compressed.destroy();
  }
}

function* piecesOf(descriptor: number): Generator<Buffer, void> {
  for (let position = 0; ;) {
    const piece = Buffer.allocUnsafe(READ_BYTES);
    const read = readSync(descriptor, piece, 0, READ_BYTES, position);
    if (read === 0) return;
    position += read;
    yield piece.subarray(0, read);
  }
}

async function* capped(pieces: AsyncGenerator<Buffer, void>, limit: number): AsyncGenerator<Buffer, void> {
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > limit) {
      throw archiveFailure('size-limit', `Archive unpacks to more than ${limit} bytes, headers included`, {
        facts: { limit, actual: total },
        hint: 'Raise the limit if you trust the archive',
      });
    }
    yield piece;
  }
}

async function* keeping(pieces: AsyncGenerator<Buffer, void>, kept: Kept): AsyncGenerator<Buffer, void> {
  for await (const piece of pieces) {
    kept.bytes += piece.length;
    if (kept.bytes <= KEPT_BYTES) kept.pieces.push(piece);
    else kept.pieces = [];
    yield piece;
  }
  kept.isWhole = kept.bytes <= KEPT_BYTES;
}

async function* replay(pieces: readonly Buffer[]): AsyncGenerator<Buffer, void> {
  yield* pieces;
}

async function remarkOn(source: ByteSource | undefined, tail: Tail): Promise<string | undefined> {
  let rest = 0;
  try {
    for await (const piece of source?.pieces(MAX_REST_BYTES) ?? [])
      if (piece.some((byte) => byte !== 0)) rest += piece.length;
  } catch (error) {
    // Cut after the last entry: everything is there, only the checksum of the whole is not. The original does not look.
    if (archiveReason(error) !== 'stream-cut') throw error;
    return 'Archive is cut after its last entry: the checksum of the whole is missing';
  }
  return rest > 0 ? `Archive has ${rest} bytes after its end, which are not read` : tail.remark;
}

function attempt<Value>(file: string, reason: 'cannot-open' | 'cannot-read', action: () => Value): Value {
  try {
    return action();
  } catch (cause) {
    const what = reason === 'cannot-open' ? 'open' : 'read';
    throw archiveFailure(reason, `Cannot ${what} archive '${file}'`, { cause, path: file });
  }
}
