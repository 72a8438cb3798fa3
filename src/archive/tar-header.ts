/** The 512 bytes before every member of a tar archive. Offsets and texts: package spec §2.2. */
import { archiveFailure } from './archive-failure.ts';
import { printableName } from './entry-name.ts';

/** Tar works in blocks of this many bytes. */
export const BLOCK_BYTES = 512;

/** Where a field is in the header: offset and length. */
type Field = readonly [offset: number, length: number];

const NAME: Field = [0, 100];
const MODE: Field = [100, 8];
const UID: Field = [108, 8];
const GID: Field = [116, 8];
const SIZE: Field = [124, 12];
const MTIME: Field = [136, 12];
const CHECKSUM: Field = [148, 8];
const TYPE = 156;
const TARGET: Field = [157, 100];
const MAGIC: Field = [257, 8];
const DEVICES: readonly Field[] = [
  [329, 8],
  [337, 8],
];
const PREFIX: Field = [345, 155];

const GNU_MAGIC = 'ustar  \0';
const USTAR_MAGIC = 'ustar\u000000';

/** What is written into a header. */
export interface HeaderFields {
  /** At most 100 bytes. */
  readonly name: Buffer;
  /** Full mode, type bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds; a negative time is written as its 64-bit two's complement, as the original does. */
  readonly mtime: bigint;
  readonly type: string;
  /** Whether the device numbers are written as zeros or left empty. */
  readonly hasDevices: boolean;
}

/** Writes a GNU header, byte for byte as the original does (spec row F4). */
export function encodeHeader(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  fields.name.copy(header, NAME[0], 0, NAME[1]);
  putNumber(header, MODE, BigInt(fields.mode));
  putNumber(header, UID, BigInt(fields.uid));
  putNumber(header, GID, BigInt(fields.gid));
  putNumber(header, SIZE, BigInt(fields.size));
  putNumber(header, MTIME, BigInt.asUintN(64, fields.mtime));
  header.write(fields.type, TYPE, 'latin1');
  header.write(GNU_MAGIC, MAGIC[0], 'latin1');
  if (fields.hasDevices) for (const device of DEVICES) putNumber(header, device, 0n);
  putNumber(header, CHECKSUM, BigInt(checksumOf(header)));
  return header;
}

/** What is read from a header. */
export interface Header {
  /** Name with the prefix of a ustar header in front, without padding. */
  readonly name: Buffer;
  /** Undefined where the field is no number. */
  readonly mode: number | undefined;
  /** Size field as stated. */
  readonly size: number;
  /** Seconds, or undefined where the field is no number. */
  readonly mtime: number | undefined;
  /** Type letter, NUL included. */
  readonly type: string;
  /** Where a link points, without padding. */
  readonly target: Buffer;
  readonly dialect: 'gnu' | 'ustar' | 'v7';
  readonly block: Buffer;
}

/** Reads a header. Throws `ARCHIVE_INVALID` for a wrong checksum and for fields that are no numbers. */
export function decodeHeader(block: Buffer): Header {
  const dialect = dialectOf(block);
  const own = textOf(block, NAME);
  const prefix = dialect === 'ustar' ? textOf(block, PREFIX) : Buffer.alloc(0);
  const name = prefix.length === 0 ? own : Buffer.concat([prefix, Buffer.from('/'), own]);
  if (numberIn(block, CHECKSUM, { what: 'cksum', name }) !== checksumOf(block)) {
    throw archiveFailure(
      'header-checksum',
      `Header of entry '${printableName(name.toString())}' does not match its checksum`,
      {
        facts: { entry: name.toString() },
      },
    );
  }
  return {
    name,
    mode: lenient(block, MODE),
    size: numberIn(block, SIZE, { what: 'size', name }),
    mtime: lenient(block, MTIME),
    type: String.fromCharCode(block[TYPE] ?? 0),
    target: Buffer.from(textOf(block, TARGET)),
    dialect,
    block: Buffer.from(block),
  };
}

/** Reads one numeric field: octal text, or base-256 where the first bit is set. */
export function numberIn(
  block: Buffer,
  [offset, length]: Field,
  about: { readonly what: string; readonly name: Buffer },
): number {
  const field = block.subarray(offset, offset + length);
  const entry = about.name.toString();
  if (((field[0] ?? 0) & 0x80) !== 0) return base256(field, entry);
  const end = field.indexOf(0);
  const text = field.subarray(0, end === -1 ? length : end).toString('latin1');
  const digits = text.trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) {
    throw archiveFailure(
      'size-not-a-number',
      `Field '${about.what}' of entry '${printableName(entry)}' is '${printableName(text)}', not a number`,
      {
        facts: { entry, field: about.what, text },
      },
    );
  }
  return Number.parseInt(digits, 8);
}

/** Fields that only decorate a file: what cannot be read is as good as absent. */
function lenient(block: Buffer, field: Field): number | undefined {
  try {
    return numberIn(block, field, { what: 'number', name: Buffer.alloc(0) });
  } catch {
    return undefined;
  }
}

/** Whether a block holds nothing: the end of an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.equals(ZERO_BLOCK);
}

const ZERO_BLOCK = Buffer.alloc(BLOCK_BYTES);

function base256(field: Buffer, entry: string): number {
  const isNegative = ((field[0] ?? 0) & 0x40) !== 0;
  let value = BigInt((field[0] ?? 0) & 0x7f);
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  if (isNegative || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw archiveFailure('size-out-of-range', `Entry '${printableName(entry)}' states a size that no file can have`, {
      facts: { entry },
    });
  }
  return Number(value);
}

function dialectOf(block: Buffer): Header['dialect'] {
  const magic = block.toString('latin1', MAGIC[0], MAGIC[0] + MAGIC[1]);
  return magic === GNU_MAGIC ? 'gnu' : magic === USTAR_MAGIC ? 'ustar' : 'v7';
}

function textOf(block: Buffer, [offset, length]: Field): Buffer {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}

/** Octal with a closing NUL, or base-256 when the digits do not fit. */
function putNumber(header: Buffer, [offset, length]: Field, value: bigint): void {
  const digits = value.toString(8);
  if (digits.length < length) {
    header.write(`${digits.padStart(length - 1, '0')}\0`, offset, 'latin1');
    return;
  }
  let rest = value;
  for (let index = offset + length - 1; index >= offset; index--) {
    header[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  header[offset] = (header[offset] ?? 0) | 0x80;
}

/** Sum of all bytes with the checksum field read as blanks. */
function checksumOf(header: Buffer): number {
  let sum = CHECKSUM[1] * 0x20;
  for (let index = 0; index < BLOCK_BYTES; index++) {
    if (index < CHECKSUM[0] || index >= CHECKSUM[0] + CHECKSUM[1]) sum += header[index] ?? 0;
  }
  return sum;
}
