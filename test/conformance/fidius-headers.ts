import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readBzip2 } from '../../src/archive/bzip2-read.ts';
import { BLOCK_BYTES, decodeHeader, encodeHeader, isZeroBlock } from '../../src/archive/tar-header.ts';
import type { CaseResult } from './case-result.ts';

interface RecordedMember {
  readonly name: string;
  readonly mode: string;
  readonly uid: string;
  readonly gid: string;
  readonly size: string;
  readonly mtime: string;
  readonly checksum: string;
  readonly typeflag: string;
  readonly magic: string;
  readonly devmajor: string;
  readonly devminor: string;
  readonly header_base64: string;
}

interface RecordedTar {
  readonly tar_bytes: number;
  readonly trailer_bytes: number;
  readonly tar_sha256: string;
  readonly members: readonly RecordedMember[];
}

/** F3, F4: `headers.json`. Every recorded header is read, and written again from what was read, byte for byte. */
export async function runHeaderCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(path.join(directory, 'headers.json'), 'utf8')) as {
    archives: Record<string, RecordedTar>;
  };
  return Object.entries(file.archives).map(([name, recorded]) => {
    const reason = differenceOf(decompress(path.join(directory, 'archives', name)), recorded);
    return reason === undefined
      ? { id: `headers/${name}`, outcome: 'passed' }
      : { id: `headers/${name}`, outcome: 'failed', reason };
  });
}

function decompress(archive: string): Buffer {
  const pieces = [readFileSync(archive)];
  return Buffer.concat([...readBzip2(() => pieces.shift())]);
}

function differenceOf(tar: Buffer, recorded: RecordedTar): string | undefined {
  if (tar.length !== recorded.tar_bytes) return `${tar.length} bytes of tar`;
  const sha256 = createHash('sha256').update(tar).digest('hex');
  if (sha256 !== recorded.tar_sha256) return `tar has SHA-256 ${sha256}`;
  let at = 0;
  for (const member of recorded.members) {
    const block = tar.subarray(at, at + BLOCK_BYTES);
    const difference = headerDifference(block, member);
    if (difference !== undefined) return `header of '${member.name}': ${difference}`;
    at += BLOCK_BYTES + Math.ceil(decodeHeader(block).size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  const trailer = tar.subarray(at);
  const isZero = trailer.length === recorded.trailer_bytes && isZeroBlock(trailer.subarray(0, BLOCK_BYTES));
  return isZero ? undefined : `${trailer.length} bytes after the last member`;
}

function headerDifference(block: Buffer, member: RecordedMember): string | undefined {
  const { name, mode, size, mtime, type } = decodeHeader(block);
  const wanted = Buffer.alloc(BLOCK_BYTES);
  wanted.write(member.header_base64, 'base64');
  if (!block.equals(wanted)) return 'the archive differs from the recording';
  // The start of a long name may end inside a character: the recording then shows what can be shown.
  if (name.toString() !== member.name && !name.toString().startsWith(member.name)) return `name '${name.toString()}'`;
  const octal = (text: string): number => Number.parseInt(text, 8);
  if (mode !== octal(member.mode) || size !== octal(member.size) || mtime !== octal(member.mtime))
    return 'numbers differ';
  const again = encodeHeader({
    name,
    mode: octal(member.mode),
    uid: octal(member.uid),
    gid: octal(member.gid),
    size,
    mtime: BigInt(mtime),
    type,
    hasDevices: member.devmajor.startsWith('0'),
  });
  return again.equals(wanted) ? undefined : 'writing it again gives other bytes';
}
