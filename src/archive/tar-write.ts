import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { archiveFailure } from './archive-failure.ts';
import { BLOCK_BYTES, encodeHeader } from './tar-header.ts';

/** A file on its way into an archive. */
export interface TarMember {
  /** Name in the archive, `/` between components. */
  readonly name: string;
  /** Name in error messages: the path inside the package. */
  readonly path: string;
  /** File whose content, mode, owner and time are stored; links are followed. */
  readonly absolute: string;
}

/**
 * Yields the bytes of a tar archive: GNU headers, regular files only, 1024 zero bytes at the end (package spec §2.1, §2.2,
 * row F4). Nothing larger than 256 KiB is held in memory.
 *
 * Throws `ARCHIVE_INVALID` with reason `cannot-add` and the system's error as cause when a file cannot be read, and
 * `unsafe-name` (`ARCHIVE_UNSAFE`) for a member name that is absolute or climbs.
 */
export function* writeTar(members: Iterable<TarMember>): Generator<Buffer> {
  for (const member of members) yield* writeMember(member);
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** One piece of a file's content. */
const READ_BYTES = 256 * 1024;
/** Longest name that fits the header. */
const NAME_BYTES = 100;

function* writeMember(member: TarMember): Generator<Buffer> {
  // The file is looked at before the name, and only then opened: the order in which the original complains.
  const before = attempt(member, 'metadata', () => statSync(member.absolute));
  refuseBadName(member);
  if (!before.isFile()) {
    throw archiveFailure('cannot-add', `'${member.path}' is not a regular file; archives hold regular files only`, {
      path: member.absolute,
      facts: { entry: member.path },
    });
  }
  const descriptor = attempt(member, 'content', () => openSync(member.absolute, 'r'));
  try {
    const stat = fstatSync(descriptor, { bigint: true });
    const size = Number(stat.size);
    const name = Buffer.from(member.name);
    if (name.length > NAME_BYTES) yield longName(name);
    yield encodeHeader({
      name: truncate(name),
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size,
      mtime: floorDivide(stat.mtimeNs, 1_000_000_000n),
      type: '0',
      hasDevices: true,
    });
    yield* content(descriptor, size, member);
  } finally {
    closeSync(descriptor);
  }
}

function* content(descriptor: number, size: number, member: TarMember): Generator<Buffer> {
  let left = size;
  while (left > 0) {
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, left));
    const read = readSync(descriptor, piece);
    if (read === 0) {
      throw archiveFailure('cannot-add', `File '${member.path}' became ${left} bytes shorter while being packed`, {
        path: member.absolute,
        facts: { entry: member.path },
      });
    }
    left -= read;
    yield piece.subarray(0, read);
  }
  const padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
  if (padding > 0) yield Buffer.alloc(padding);
}

/** A member that carries a name of more than 100 bytes for the member after it. */
function longName(name: Buffer): Buffer {
  const size = name.length + 1;
  const header = encodeHeader({
    name: Buffer.from('././@LongLink'),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: 0n,
    type: 'L',
    hasDevices: false,
  });
  const body = Buffer.alloc(Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES);
  name.copy(body);
  return Buffer.concat([header, body]);
}

/** The longest start that fits the header and does not cut a character. */
function truncate(name: Buffer): Buffer {
  if (name.length <= NAME_BYTES) return name;
  let end = NAME_BYTES;
  while (((name[end] ?? 0) & 0xc0) === 0x80) end--;
  return name.subarray(0, end);
}

function refuseBadName(member: TarMember): void {
  const problem = member.name.startsWith('/')
    ? 'absolute'
    : member.name.split('/').includes('..')
      ? 'climbing'
      : undefined;
  if (problem === undefined) return;
  throw archiveFailure('unsafe-name', `Member name '${member.name}' is ${problem}; names in archives stay inside`, {
    facts: { entry: member.path, problem },
  });
}

function attempt<Value>(member: TarMember, step: 'metadata' | 'content', action: () => Value): Value {
  try {
    return action();
  } catch (cause) {
    throw archiveFailure('cannot-add', `Cannot read '${member.path}' to pack it`, {
      cause,
      path: member.absolute,
      facts: { entry: member.path, step },
    });
  }
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}
