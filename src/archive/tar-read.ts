import { archiveFailure } from './archive-failure.ts';
import type { ArchiveEntries, ArchiveEntry } from './archive-entry.ts';
import { type ByteSource, drain } from './byte-source.ts';
import { printableName } from './entry-name.ts';
import { BLOCK_BYTES, decodeHeader, type Header, isZeroBlock } from './tar-header.ts';
import { parsePax } from './tar-pax.ts';
import { readSparseMap, type SparseMap, spread } from './tar-sparse.ts';

/** Bounds of what is read into memory before an entry is seen. */
export interface TarLimits {
  /** Largest long name or extended header. */
  readonly maxMetadataBytes: number;
}

/**
 * Reads a tar archive: GNU, ustar, PAX and old V7 headers, GNU long names and sparse files. One zero block ends it, and
 * so does the end of the bytes (package spec §2.5, row F3).
 *
 * Throws `ARCHIVE_INVALID` for damage (`header-cut`, `header-checksum`, `member-cut` and so on) and `ARCHIVE_TOO_LARGE`
 * with reason `metadata-limit` (row FW8).
 */
export async function* readTar(source: ByteSource, limits: TarLimits): ArchiveEntries {
  let pending: Pending = {};
  for (;;) {
    const header = await readHeader(source);
    if (header === undefined) break;
    const kind = metadataKind(header);
    if (kind !== undefined) {
      pending = { ...pending, ...(await readMetadata({ source, header, kind, pending, limits })) };
      continue;
    }
    const { entry, finish } = await openMember(source, header, pending);
    pending = {};
    yield entry;
    await finish();
  }
  if (Object.keys(pending).length > 0) {
    throw archiveFailure('long-name-without-member', 'Archive ends with a description of a member that never comes');
  }
}

/** What metadata members said about the member after them. */
interface Pending {
  readonly longName?: Buffer;
  readonly longLink?: Buffer;
  readonly pax?: ReadonlyMap<string, Buffer>;
}

type MetadataKind = keyof Pending;

async function readHeader(source: ByteSource): Promise<Header | undefined> {
  const block = await source.take(BLOCK_BYTES);
  if (block.length === 0) return undefined;
  if (block.length < BLOCK_BYTES) {
    throw archiveFailure('header-cut', `Archive ends ${BLOCK_BYTES - block.length} bytes before a header does`);
  }
  return isZeroBlock(block) ? undefined : decodeHeader(block);
}

/** Old V7 headers know no metadata members: their letters are ordinary there. */
function metadataKind(header: Header): MetadataKind | undefined {
  if (header.dialect === 'v7') return undefined;
  if (header.type === 'L') return 'longName';
  if (header.type === 'K') return 'longLink';
  return header.type === 'x' ? 'pax' : undefined;
}

interface MetadataMember {
  readonly source: ByteSource;
  readonly header: Header;
  readonly kind: MetadataKind;
  readonly pending: Pending;
  readonly limits: TarLimits;
}

async function readMetadata({ source, header, kind, pending, limits }: MetadataMember): Promise<Pending> {
  if (pending[kind] !== undefined) {
    throw archiveFailure('two-long-names', 'Archive describes one member twice', { facts: { kind } });
  }
  if (header.size > limits.maxMetadataBytes) {
    throw archiveFailure(
      'metadata-limit',
      `Archive describes a member in ${header.size} bytes; at most ${limits.maxMetadataBytes} are read`,
      { facts: { limit: limits.maxMetadataBytes, actual: header.size } },
    );
  }
  const body = await source.take(header.size);
  if (body.length < header.size) throw memberCut(header.name);
  await skipPadding(source, header.size);
  if (kind === 'pax') return { pax: parsePax(body) };
  return { [kind]: body.at(-1) === 0 ? body.subarray(0, -1) : body };
}

interface Member {
  readonly entry: ArchiveEntry;
  /** Passes over what was not read, to the next header. */
  readonly finish: () => Promise<void>;
}

async function openMember(source: ByteSource, header: Header, pending: Pending): Promise<Member> {
  const name = pending.longName ?? pending.pax?.get('path') ?? header.name;
  const sparse =
    header.type === 'S' && header.dialect === 'gnu' ? await readSparseMap(source, header, name) : undefined;
  const stored = paxSize(pending.pax) ?? header.size;
  const content = contentOf(source, { name, stored, sparse });
  const entry: ArchiveEntry = {
    name,
    type: typeOf(header, name),
    ...(header.type === '2' && { target: pending.longLink ?? pending.pax?.get('linkpath') ?? header.target }),
    statedBytes: sparse?.realBytes ?? header.size,
    bytes: sparse?.realBytes ?? stored,
    mode: header.mode,
    mtime: header.mtime,
    content: () => content,
  };
  return {
    entry,
    finish: async () => {
      await drain(content);
      await skipPadding(source, stored);
    },
  };
}

interface Stored {
  readonly name: Buffer;
  readonly stored: number;
  readonly sparse: SparseMap | undefined;
}

/** The member's own bytes, holes filled. Reading is what finds out that they end early. */
async function* contentOf(source: ByteSource, { name, stored, sparse }: Stored): AsyncGenerator<Buffer, void> {
  const from = source.total;
  const raw = source.pieces(stored);
  yield* sparse === undefined ? raw : spread(raw, sparse);
  await drain(raw);
  if (source.total - from < stored) throw memberCut(name);
}

async function skipPadding(source: ByteSource, size: number): Promise<void> {
  const padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
  await source.skip(padding);
}

/** A PAX size replaces the header's, whatever it says; one that is no number is ignored (spec §2.5). */
function paxSize(pax: ReadonlyMap<string, Buffer> | undefined): number | undefined {
  const text = pax?.get('size')?.toString('latin1');
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}

function typeOf(header: Header, name: Buffer): ArchiveEntry['type'] {
  switch (header.type) {
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    case 'g':
      return 'metadata';
    case '\0':
    case '0':
    case '7':
    case 'S':
      // Outside ustar a directory may be marked by its last character only.
      return name.at(-1) === 0x2f && header.dialect !== 'ustar' ? 'directory' : 'file';
    default:
      return 'special';
  }
}

function memberCut(name: Buffer): Error {
  return archiveFailure('member-cut', `Archive ends inside entry '${printableName(name.toString())}'`, {
    facts: { entry: name.toString() },
    hint: 'Fetch the archive again',
  });
}
