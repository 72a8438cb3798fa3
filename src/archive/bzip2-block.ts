import { BitWriter } from './bzip2-bit-writer.ts';
import { assignCodes, codeLengths } from './bzip2-codes.ts';
import { sortRotations } from './sort-rotations.ts';

/** Symbols that share one Huffman table before the next selector applies. */
const GROUP_SYMBOLS = 50;
/** How often the tables are refined; libbz2's number, so that the bytes are the same. */
const ROUNDS = 4;
/** Longest code that libbz2 writes. */
const LONGEST_CODE = 17;
const COST_OF_STRANGER = 15;

/** Writes one block, its checksum included, exactly as libbz2 does. */
export function writeBlock(bits: BitWriter, block: Uint8Array, crc: number): void {
  bits.put(0x314159, 24);
  bits.put(0x265359, 24);
  bits.put(crc >>> 16, 16);
  bits.put(crc & 0xffff, 16);
  bits.put(0, 1);
  const { last, origin } = sortRotations(block);
  bits.put(origin, 24);
  const alphabet = putAlphabet(bits, block);
  const symbols = moveToFront(last, alphabet);
  putSymbols(bits, symbols, alphabet.length + 2);
}

function putAlphabet(bits: BitWriter, block: Uint8Array): Uint8Array {
  const isUsed = new Uint8Array(256);
  for (const value of block) isUsed[value] = 1;
  const rangeOf = (range: number): Uint8Array => isUsed.subarray(range * 16, range * 16 + 16);
  for (let range = 0; range < 16; range++) bits.put(rangeOf(range).includes(1) ? 1 : 0, 1);
  for (let range = 0; range < 16; range++) {
    if (rangeOf(range).includes(1)) for (const used of rangeOf(range)) bits.put(used, 1);
  }
  return Uint8Array.from(isUsed.keys()).filter((value) => isUsed[value] === 1);
}

/** Move-to-front; runs of the front value become digits 0 and 1 of a bijective base-2 number. */
function moveToFront(last: Uint8Array, alphabet: Uint8Array): Uint16Array {
  const recent = Uint8Array.from(alphabet);
  const symbols = new Uint16Array(last.length + 1);
  let count = 0;
  let run = 0;
  const flush = (): void => {
    for (let rest = run; rest > 0; rest = (rest - 1) >> 1) symbols[count++] = (rest - 1) & 1;
    run = 0;
  };
  for (const value of last) {
    if (recent[0] === value) {
      run++;
      continue;
    }
    flush();
    const place = recent.indexOf(value);
    recent.copyWithin(1, 0, place);
    recent[0] = value;
    symbols[count++] = place + 1;
  }
  flush();
  symbols[count++] = alphabet.length + 1;
  return symbols.subarray(0, count);
}

function putSymbols(bits: BitWriter, symbols: Uint16Array, alphabetSize: number): void {
  const { lengths, selectors } = chooseTables(symbols, alphabetSize);
  bits.put(lengths.length, 3);
  bits.put(selectors.length, 15);
  putSelectors(bits, selectors, lengths.length);
  for (const table of lengths) putLengths(bits, table);
  const codes = lengths.map((table) => assignCodes(table));
  selectors.forEach((selector, group) => {
    const length = lengths[selector];
    const code = codes[selector];
    for (const symbol of symbols.subarray(group * GROUP_SYMBOLS, (group + 1) * GROUP_SYMBOLS))
      bits.put(code?.[symbol] ?? 0, length?.[symbol] ?? 0);
  });
}

interface Choice {
  readonly lengths: readonly Uint8Array[];
  readonly selectors: Uint8Array;
}

/** Starts from tables that split the symbols evenly and lets every group vote for the cheapest, a few times over. */
function chooseTables(symbols: Uint16Array, alphabetSize: number): Choice {
  let lengths = firstTables(symbols, alphabetSize);
  const selectors = new Uint8Array(Math.ceil(symbols.length / GROUP_SYMBOLS));
  for (let round = 0; round < ROUNDS; round++) {
    const frequencies = lengths.map(() => new Int32Array(alphabetSize));
    for (let group = 0; group < selectors.length; group++) {
      const part = symbols.subarray(group * GROUP_SYMBOLS, (group + 1) * GROUP_SYMBOLS);
      const cheapest = cheapestTable(part, lengths);
      selectors[group] = cheapest;
      const frequency = frequencies[cheapest];
      if (frequency !== undefined) for (const symbol of part) frequency[symbol] = (frequency[symbol] ?? 0) + 1;
    }
    lengths = frequencies.map((frequency) => codeLengths(frequency, LONGEST_CODE));
  }
  return { lengths, selectors };
}

function cheapestTable(part: Uint16Array, lengths: readonly Uint8Array[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  lengths.forEach((table, index) => {
    let cost = 0;
    for (const symbol of part) cost += table[symbol] ?? 0;
    if (cost >= least) return;
    least = cost;
    best = index;
  });
  return best;
}

function firstTables(symbols: Uint16Array, alphabetSize: number): Uint8Array[] {
  const frequency = new Int32Array(alphabetSize);
  for (const symbol of symbols) frequency[symbol] = (frequency[symbol] ?? 0) + 1;
  const count = tableCount(symbols.length);
  const tables = Array.from({ length: count }, () => new Uint8Array(alphabetSize).fill(COST_OF_STRANGER));
  let left = symbols.length;
  let start = 0;
  for (let part = count; part > 0; part--) {
    const target = Math.floor(left / part);
    let end = start - 1;
    let sum = 0;
    while (sum < target && end < alphabetSize - 1) sum += frequency[++end] ?? 0;
    if (end > start && part !== count && part !== 1 && (count - part) % 2 === 1) sum -= frequency[end--] ?? 0;
    tables[part - 1]?.fill(0, start, end + 1);
    start = end + 1;
    left -= sum;
  }
  return tables;
}

function tableCount(symbols: number): number {
  if (symbols < 200) return 2;
  if (symbols < 600) return 3;
  if (symbols < 1200) return 4;
  return symbols < 2400 ? 5 : 6;
}

function putSelectors(bits: BitWriter, selectors: Uint8Array, tables: number): void {
  const recent = Array.from({ length: tables }, (_, index) => index);
  for (const selector of selectors) {
    const place = recent.indexOf(selector);
    recent.unshift(...recent.splice(place, 1));
    for (let step = 0; step < place; step++) bits.put(1, 1);
    bits.put(0, 1);
  }
}

function putLengths(bits: BitWriter, lengths: Uint8Array): void {
  let current = lengths[0] ?? 0;
  bits.put(current, 5);
  for (const length of lengths) {
    for (; current < length; current++) bits.put(2, 2);
    for (; current > length; current--) bits.put(3, 2);
    bits.put(0, 1);
  }
}
