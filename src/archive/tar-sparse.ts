/** Files with holes, as GNU tar stores them: a map in the header and in extension blocks after it. */
import { archiveFailure } from './archive-failure.ts';
import type { ByteSource } from './byte-source.ts';
import { printableName } from './entry-name.ts';
import { BLOCK_BYTES, type Header, numberIn } from './tar-header.ts';

/** Which parts of a file are stored. */
export interface SparseMap {
  /** Ascending, not overlapping. */
  readonly parts: readonly { readonly offset: number; readonly bytes: number }[];
  /** Size of the whole file. */
  readonly realBytes: number;
}

const PART_BYTES = 24;
const HEADER_PARTS = { first: 386, count: 4, more: 482 };
const BLOCK_PARTS = { first: 0, count: 21, more: 504 };
const REAL_SIZE = [483, 12] as const;
/** More parts than any file of a package has; the map is read before any limit applies. */
const MAX_PARTS = 65_536;

/** Reads the map of a sparse member. Throws `ARCHIVE_INVALID` when it does not add up. */
export async function readSparseMap(source: ByteSource, header: Header, name: Buffer): Promise<SparseMap> {
  const parts: { offset: number; bytes: number }[] = [];
  let block = header.block;
  let layout = HEADER_PARTS;
  for (;;) {
    parts.push(...partsIn(block, layout, name));
    if (parts.length > MAX_PARTS) throw broken(name, `more than ${MAX_PARTS} parts`);
    if (block[layout.more] !== 1) break;
    block = await source.take(BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) throw broken(name, 'an end before its map is complete');
    layout = BLOCK_PARTS;
  }
  const realBytes = numberIn(header.block, REAL_SIZE, { what: 'real size', name });
  return checked({ parts, realBytes }, header.size, name);
}

/** Puts zeros where the holes are. */
export async function* spread(raw: AsyncGenerator<Buffer, void>, map: SparseMap): AsyncGenerator<Buffer, void> {
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  for (const part of map.parts) {
    yield* zeros(part.offset - at);
    for (let left = part.bytes; left > 0;) {
      if (rest.length === 0) {
        const next = await raw.next();
        if (next.done === true) return;
        rest = next.value;
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
    at = part.offset + part.bytes;
  }
  yield* zeros(map.realBytes - at);
}

function* zeros(count: number): Generator<Buffer> {
  const piece = Buffer.alloc(Math.min(count, 256 * 1024));
  for (let left = count; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

function partsIn(block: Buffer, layout: typeof HEADER_PARTS, name: Buffer): { offset: number; bytes: number }[] {
  const parts: { offset: number; bytes: number }[] = [];
  for (let index = 0; index < layout.count; index++) {
    const at = layout.first + index * PART_BYTES;
    if (block[at] === 0 || block[at + 12] === 0) break;
    parts.push({
      offset: numberIn(block, [at, 12], { what: 'sparse offset', name }),
      bytes: numberIn(block, [at + 12, 12], { what: 'sparse length', name }),
    });
  }
  return parts;
}

function checked(map: SparseMap, storedBytes: number, name: Buffer): SparseMap {
  let at = 0;
  let stored = 0;
  for (const part of map.parts) {
    if (part.offset < at) throw broken(name, 'parts out of order');
    at = part.offset + part.bytes;
    stored += part.bytes;
  }
  if (at > map.realBytes) throw broken(name, 'a part beyond its end');
  if (stored !== storedBytes) throw broken(name, `${storedBytes} stored bytes where its map counts ${stored}`);
  return map;
}

function broken(name: Buffer, what: string): Error {
  return archiveFailure('sparse-map', `Sparse entry '${printableName(name.toString())}' has ${what}`, {
    facts: { entry: name.toString() },
  });
}
