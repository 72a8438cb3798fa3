/**
 * A reader of one bzip2 stream in plain JavaScript: block by block, so that a bomb is stopped by whoever counts the bytes;
 * every block's and the stream's own checksum are verified. package spec §2.1: only the first stream of a file is read.
 */
import { archiveFailure } from './archive-failure.ts';
import { BitReader, type Bzip2End } from './bzip2-bits.ts';
import { CRC_OF_BYTE } from './bzip2-crc.ts';
import { HuffmanTable } from './bzip2-huffman.ts';

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
/** Symbols that share one Huffman table before the next selector applies. */
const GROUP_SYMBOLS = 50;
/** Largest piece of output yielded at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Yields the decompressed bytes of the first stream. `pull` gives the next compressed bytes, or undefined at the end.
 *
 * Throws `ARCHIVE_INVALID` with reason `no-stream-magic`, `stream-invalid` or `stream-cut` (spec row F3).
 */
export function* readBzip2(pull: () => Buffer | undefined): Generator<Buffer, Bzip2End> {
  const bits = new BitReader(pull);
  const level = readLevel(bits);
  const chain = new Uint32Array(level * 100_000);
  let combined = 0;
  for (;;) {
    const magic = bits.read(24) * 0x1000000 + bits.read(24);
    if (magic === END_MAGIC) break;
    if (magic !== BLOCK_MAGIC) throw invalid('a block does not begin as blocks do');
    const expected = readCrc(bits);
    const crc = yield* readBlock(bits, chain);
    if (crc !== expected) throw invalid('the checksum of a block does not match');
    combined = ((combined << 1) | (combined >>> 31)) ^ crc;
  }
  if (readCrc(bits) !== combined >>> 0) throw invalid('the checksum of the stream does not match');
  return bits.end();
}

/** Reads `BZh` and the block size digit. */
function readLevel(bits: BitReader): number {
  for (const expected of [0x42, 0x5a, 0x68]) if (bits.read(8) !== expected) throw noMagic();
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw noMagic();
  return level;
}

function readCrc(bits: BitReader): number {
  return ((bits.read(16) << 16) | bits.read(16)) >>> 0;
}

/** Reads one block, yields its bytes and returns their checksum. */
function* readBlock(bits: BitReader, chain: Uint32Array): Generator<Buffer, number> {
  const isRandomised = bits.read(1) === 1;
  // Written by bzip2 before 0.9.5 only; Python and the original refuse nothing here, but nobody makes such files.
  if (isRandomised) throw invalid('a block is randomised, as no writer has done since 1998');
  const origin = bits.read(24);
  const alphabet = readAlphabet(bits);
  const tables = readTables(bits, alphabet.length + 2);
  const length = readSymbols(bits, { alphabet, ...tables, chain });
  if (origin >= length) throw invalid('a block points outside itself');
  linkChain(chain, length);
  return yield* unrollRuns(chain, origin, length);
}

/** Which byte values occur, in order. */
function readAlphabet(bits: BitReader): Uint8Array {
  const ranges = bits.read(16);
  const values: number[] = [];
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const present = bits.read(16);
    for (let value = 0; value < 16; value++) if ((present & (0x8000 >> value)) !== 0) values.push(range * 16 + value);
  }
  if (values.length === 0) throw invalid('a block has no bytes');
  return Uint8Array.from(values);
}

interface Tables {
  readonly tables: readonly HuffmanTable[];
  readonly selectors: Uint8Array;
}

function readTables(bits: BitReader, symbols: number): Tables {
  const count = bits.read(3);
  if (count < 2 || count > 6) throw invalid('a block has a wrong number of tables');
  const selectors = new Uint8Array(bits.read(15));
  if (selectors.length === 0) throw invalid('a block has no selectors');
  const order = Array.from({ length: count }, (_, index) => index);
  for (let index = 0; index < selectors.length; index++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= count) throw invalid('a selector is out of range');
    const [table = 0] = order.splice(place, 1);
    order.unshift(table);
    selectors[index] = table;
  }
  const tables = order.map(() => new HuffmanTable(readLengths(bits, symbols)));
  return { tables, selectors };
}

function readLengths(bits: BitReader, symbols: number): Uint8Array {
  const lengths = new Uint8Array(symbols);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > 20) throw invalid('a code is too long');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return lengths;
}

/** Undoes Huffman coding, the zero runs and move-to-front; fills the low bytes of `chain` and returns how many. */
function readSymbols(bits: BitReader, block: Tables & { alphabet: Uint8Array; chain: Uint32Array }): number {
  const { alphabet, chain, tables, selectors } = block;
  const recent = Uint8Array.from(alphabet);
  const end = alphabet.length + 1;
  let length = 0;
  let group = 0;
  let left = 0;
  let table: HuffmanTable | undefined;
  let run = 0;
  let weight = 1;
  for (;;) {
    if (left === 0) {
      if (group >= selectors.length) throw invalid('a block has too few selectors');
      table = tables[selectors[group++] ?? 0];
      left = GROUP_SYMBOLS;
    }
    left--;
    const symbol = table?.decode(bits) ?? end;
    if (symbol <= 1) {
      if (weight > chain.length * 2) throw invalid('a run is longer than its block');
      run += weight << symbol;
      weight <<= 1;
      continue;
    }
    if (run > 0) {
      if (length + run > chain.length) throw invalid('a block is longer than the stream says');
      chain.fill(recent[0] ?? 0, length, length + run);
      length += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) return length;
    if (length >= chain.length) throw invalid('a block is longer than the stream says');
    const place = symbol - 1;
    const value = recent[place] ?? 0;
    recent.copyWithin(1, 0, place);
    recent[0] = value;
    chain[length++] = value;
  }
}

/** Turns the sorted last column into a chain: the high bits of an element point to the element after it. */
function linkChain(chain: Uint32Array, length: number): void {
  const next = new Uint32Array(256);
  for (let index = 0; index < length; index++) {
    const value = (chain[index] ?? 0) & 0xff;
    next[value] = (next[value] ?? 0) + 1;
  }
  let sum = 0;
  for (let value = 0; value < 256; value++) {
    const count = next[value] ?? 0;
    next[value] = sum;
    sum += count;
  }
  for (let index = 0; index < length; index++) {
    const value = (chain[index] ?? 0) & 0xff;
    const place = next[value] ?? 0;
    next[value] = place + 1;
    chain[place] = (chain[place] ?? 0) | (index << 8);
  }
}

/** Walks the chain and undoes the outermost run lengths: four equal bytes are followed by a count of more. */
function* unrollRuns(chain: Uint32Array, origin: number, length: number): Generator<Buffer, number> {
  let crc = 0xffffffff;
  let piece = Buffer.allocUnsafe(PIECE_BYTES);
  let at = 0;
  let element = (chain[origin] ?? 0) >>> 8;
  let previous = -1;
  let equal = 0;
  for (let index = 0; index < length; index++) {
    const entry = chain[element] ?? 0;
    element = entry >>> 8;
    const value = entry & 0xff;
    let times = 1;
    let byte = value;
    if (equal === 4) {
      times = value;
      byte = previous;
      equal = 0;
      previous = -1;
    } else if (value === previous) equal++;
    else {
      equal = 1;
      previous = value;
    }
    for (; times > 0; times--) {
      if (at === PIECE_BYTES) {
        yield piece;
        piece = Buffer.allocUnsafe(PIECE_BYTES);
        at = 0;
      }
      piece[at++] = byte;
      crc = (crc << 8) ^ (CRC_OF_BYTE[(crc >>> 24) ^ byte] ?? 0);
    }
  }
  if (at > 0) yield piece.subarray(0, at);
  return ~crc >>> 0;
}

function noMagic(): Error {
  return archiveFailure('no-stream-magic', "Archive does not begin with 'BZh' and a digit, as a bzip2 file does", {
    hint: 'Check that this is the right file',
  });
}

function invalid(what: string): Error {
  return archiveFailure('stream-invalid', `Archive is damaged: ${what}`, { hint: 'Fetch the archive again' });
}
