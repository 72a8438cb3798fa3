import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import type { ArchiveEntries, ArchiveEntry } from './archive-entry.ts';
import { archiveFailure } from './archive-failure.ts';

/**
 * Reads a zip archive from an open descriptor, which stays open. Names are given as they are stored; checksums and sizes
 * are verified while the content is read (rows W43). Modes are those of Unix writers only: zero means none.
 *
 * Throws `ARCHIVE_INVALID` with reason `zip-invalid`, `checksum-mismatch` or `size-mismatch`.
 */
export async function* readZip(descriptor: number, file: string): ArchiveEntries {
  const zip = await guarded(file, () =>
    yauzl.fromFdPromise(descriptor, {
      lazyEntries: true,
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: true,
    }),
  );
  const entries = zip.eachEntry();
  for (;;) {
    const next = await guarded(file, () => entries.next());
    if (next.done === true) return;
    yield entryOf(zip, next.value, file);
  }
}

const TYPE_BITS = 0o170000;
const SYMLINK_BITS = 0o120000;
const DIRECTORY_BITS = 0o040000;
const REGULAR_BITS = 0o100000;
/** Systems whose writers store Unix modes: Unix and macOS. */
const UNIX_MAKERS = [3, 19];

function entryOf(zip: ZipFile, entry: Entry, file: string): ArchiveEntry {
  const name = nameOf(entry);
  const isUnix = UNIX_MAKERS.includes(entry.versionMadeBy >>> 8);
  const mode = isUnix ? entry.externalFileAttributes >>> 16 : 0;
  return {
    name,
    type: typeOf(name, mode),
    statedBytes: entry.uncompressedSize,
    bytes: entry.uncompressedSize,
    mode: (mode & 0o777) === 0 ? undefined : mode & 0o777,
    mtime: Math.floor(entry.getLastModDate({ timezone: 'UTC' }).getTime() / 1000),
    content: () => contentOf(zip, entry, file),
  };
}

/** The name as UTF-8: by its flag, by its Unicode field, or from the old code page. */
function nameOf(entry: Entry): Buffer {
  return Buffer.from(
    yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true),
  );
}

function typeOf(name: Buffer, mode: number): ArchiveEntry['type'] {
  const bits = mode & TYPE_BITS;
  if (bits === SYMLINK_BITS) return 'symlink';
  if (name.at(-1) === 0x2f || bits === DIRECTORY_BITS) return 'directory';
  return bits === 0 || bits === REGULAR_BITS ? 'file' : 'special';
}

async function* contentOf(zip: ZipFile, entry: Entry, file: string): AsyncGenerator<Buffer, void> {
  const name = nameOf(entry).toString();
  if (name.endsWith('/')) return;
  let crc = 0;
  const stream: Readable = await guarded(file, () => zip.openReadStreamPromise(entry));
  try {
    for await (const piece of stream) {
      const bytes = piece as Buffer;
      crc = crc32(bytes, crc);
      yield bytes;
    }
  } catch (cause) {
    throw broken(
      'size-mismatch',
      `Entry '${name}' does not unpack to the ${entry.uncompressedSize} bytes that it states`,
      { cause, file },
    );
  } finally {
    stream.destroy();
  }
  if (crc !== entry.crc32)
    throw broken('checksum-mismatch', `Entry '${name}' does not match its checksum`, { cause: undefined, file });
}

async function guarded<Value>(file: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw broken('zip-invalid', `File '${file}' is no zip archive that can be read: ${why}`, { cause, file });
  }
}

function broken(
  reason: 'zip-invalid' | 'checksum-mismatch' | 'size-mismatch',
  message: string,
  { cause, file }: { cause: unknown; file: string },
): Error {
  return archiveFailure(reason, message, { cause, path: file, hint: 'Fetch the archive again' });
}
