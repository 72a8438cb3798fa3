/**
 * A bzip2 writer in plain JavaScript. Its bytes are those of libbz2 at level 9, so that an archive's hash does not depend
 * on who compressed it (row F4); Python's `bz2` does the same work faster and is preferred for large archives.
 */
import { BitWriter } from './bzip2-bit-writer.ts';
import { writeBlock } from './bzip2-block.ts';
import { CRC_OF_BYTE } from './bzip2-crc.ts';

/** A block is full when it holds this many bytes: 900 000 less the slack that a last run may need. */
const BLOCK_BYTES = 900_000 - 19;
/** Longest run that one count byte stands for. */
const LONGEST_RUN = 255;

/** Compresses pieces into one stream, level 9. */
export function* writeBzip2(pieces: Iterable<Uint8Array>): Generator<Buffer> {
  const bits = new BitWriter();
  for (const byte of Buffer.from('BZh9')) bits.put(byte, 8);
  let combined = 0;
  for (const { bytes, crc } of splitBlocks(pieces)) {
    writeBlock(bits, bytes, crc);
    combined = ((combined << 1) | (combined >>> 31)) ^ crc;
    yield bits.take();
  }
  bits.put(0x177245, 24);
  bits.put(0x385090, 24);
  bits.put(combined >>> 16, 16);
  bits.put(combined & 0xffff, 16);
  bits.pad();
  yield bits.take();
}

interface Block {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/**
 * Shortens runs (four equal bytes, then a count of more) and cuts blocks. A run that is under way when a block is full
 * goes into the next one, whole.
 */
function* splitBlocks(pieces: Iterable<Uint8Array>): Generator<Block> {
  let bytes = new Uint8Array(BLOCK_BYTES + 19);
  let length = 0;
  let crc = -1;
  let value = -1;
  let run = 0;
  const flush = (): void => {
    for (let count = 0; count < run; count++) crc = (crc << 8) ^ (CRC_OF_BYTE[(crc >>> 24) ^ value] ?? 0);
    for (let count = 0; count < Math.min(run, 4); count++) bytes[length++] = value;
    if (run >= 4) bytes[length++] = run - 4;
    run = 0;
  };
  const cut = (): Block => ({ bytes: bytes.subarray(0, length), crc: ~crc >>> 0 });
  for (const piece of pieces) {
    for (const byte of piece) {
      if (length >= BLOCK_BYTES) {
        yield cut();
        bytes = new Uint8Array(BLOCK_BYTES + 19);
        length = 0;
        crc = -1;
      }
      if (byte !== value || run === LONGEST_RUN) {
        flush();
        value = byte;
      }
      run++;
    }
  }
  if (length >= BLOCK_BYTES) {
    yield cut();
    length = 0;
    crc = -1;
    bytes = new Uint8Array(BLOCK_BYTES + 19);
  }
  flush();
  if (length > 0) yield cut();
}
