import { readFileSync, statSync } from 'node:fs';
import { crc32, deflateRawSync } from 'node:zlib';
import { archiveFailure } from './archive-failure.ts';
import type { TarMember } from './tar-write.ts';

/** Bit 11 of the flags: the name is UTF-8. */
const UTF8_NAME = 0x0800;
const DEFLATE = 8;
/** Version 2.0: deflate and directories. */
const VERSION = 20;
/** Larger files would need the 64-bit form, which no plugin does. */
const MAX_BYTES = 0xffffffff;

/**
 * Yields a zip archive: members relative to the root, deflated, no directory entries, no modes and the earliest time that
 * the format knows, so that equal content gives equal bytes (plugin spec §5, zip layout).
 *
 * Throws `ARCHIVE_INVALID` with reason `cannot-add` for a file that cannot be read, and for more than 4 GiB.
 */
export async function* writeZip(members: Iterable<TarMember>): AsyncGenerator<Buffer, void> {
  const index: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const { header, body, central } = encodeMember(member, offset);
    index.push(central);
    offset += header.length + body.length;
    if (offset > MAX_BYTES || index.length > 0xffff) throw tooLarge(member.name);
    yield header;
    yield body;
  }
  const directory = Buffer.concat(index);
  yield directory;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(index.length, 8);
  end.writeUInt16LE(index.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  yield end;
}

interface Encoded {
  readonly header: Buffer;
  readonly body: Buffer;
  readonly central: Buffer;
}

function encodeMember(member: TarMember, offset: number): Encoded {
  const content = contentOf(member);
  const body = deflateRawSync(content, { level: 9 });
  const name = Buffer.from(member.name);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(VERSION, 0);
  shared.writeUInt16LE(UTF8_NAME, 2);
  shared.writeUInt16LE(DEFLATE, 4);
  // 1980-01-01, the first day of the format.
  shared.writeUInt16LE(0x0021, 8);
  shared.writeUInt32LE(crc32(content), 10);
  shared.writeUInt32LE(body.length, 14);
  shared.writeUInt32LE(content.length, 18);
  shared.writeUInt16LE(name.length, 22);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(VERSION, 4);
  shared.copy(central, 6);
  central.writeUInt32LE(offset, 42);
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(0x04034b50);
  return {
    header: Buffer.concat([signature, shared, name]),
    body,
    central: Buffer.concat([central, name]),
  };
}

function contentOf(member: TarMember): Buffer {
  try {
    if (!statSync(member.absolute).isFile()) throw new Error(`'${member.absolute}' is not a regular file`);
    return readFileSync(member.absolute);
  } catch (cause) {
    throw archiveFailure('cannot-add', `Cannot read '${member.path}' to pack it`, {
      cause,
      path: member.absolute,
      facts: { entry: member.path },
    });
  }
}

function tooLarge(name: string): Error {
  return archiveFailure('cannot-add', `Archive passes 4 GiB or 65535 files at '${name}'`, { facts: { entry: name } });
}
