/** Huffman code lengths and codes, with libbz2's rules for ties, so that equal input gives equal bytes. */

/** Length of the code of every symbol, from 1 to `longest`; symbols that do not occur get a code too. */
export function codeLengths(frequencies: Int32Array, longest: number): Uint8Array {
  let weights = frequencies.map((frequency) => Math.max(frequency, 1) << 8);
  for (;;) {
    const lengths = lengthsOf(weights);
    if (lengths.every((length) => length <= longest)) return lengths;
    // Flatter weights give shorter codes; the low byte of a weight holds a depth and does not count.
    weights = weights.map((weight) => (1 + ((weight >> 8) >> 1)) << 8);
  }
}

/** Canonical codes: shorter first, then by symbol. */
export function assignCodes(lengths: Uint8Array): Int32Array {
  const codes = new Int32Array(lengths.length);
  let code = 0;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  for (let length = 1; length <= longest; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) codes[symbol] = code++;
    code <<= 1;
  }
  return codes;
}

function lengthsOf(leaves: Int32Array): Uint8Array {
  const count = leaves.length;
  const weights = new Int32Array(count * 2);
  const parents = new Int32Array(count * 2).fill(-1);
  weights.set(leaves, 1);
  const heap = new Heap(weights);
  for (let node = 1; node <= count; node++) heap.push(node);
  for (let node = count + 1; heap.size > 1; node++) {
    const first = heap.pop();
    const second = heap.pop();
    parents[first] = node;
    parents[second] = node;
    weights[node] = join(weights[first] ?? 0, weights[second] ?? 0);
    heap.push(node);
  }
  return Uint8Array.from(leaves, (_, symbol) => depthOf(parents, symbol + 1));
}

/** Adds two weights; the low byte is the depth of the tree below. */
function join(left: number, right: number): number {
  return ((left & ~0xff) + (right & ~0xff)) | (1 + Math.max(left & 0xff, right & 0xff));
}

function depthOf(parents: Int32Array, leaf: number): number {
  let depth = 0;
  for (let node = parents[leaf] ?? -1; node >= 0; node = parents[node] ?? -1) depth++;
  return depth;
}

/** A heap of nodes, lightest first. Which of two equal nodes comes first is part of the format's bytes. */
class Heap {
  readonly #weights: Int32Array;
  /** From 1; 0 is a sentinel that is lighter than everything. */
  readonly #nodes: number[] = [0];

  constructor(weights: Int32Array) {
    this.#weights = weights;
  }

  get size(): number {
    return this.#nodes.length - 1;
  }

  push(node: number): void {
    let at = this.#nodes.length;
    const weight = this.#weightOf(node);
    this.#nodes.push(node);
    while (at > 1 && weight < this.#weightAt(at >> 1)) {
      this.#nodes[at] = this.#nodes[at >> 1] ?? 0;
      at >>= 1;
    }
    this.#nodes[at] = node;
  }

  pop(): number {
    const top = this.#nodes[1] ?? 0;
    const moved = this.#nodes.pop() ?? 0;
    if (this.size > 0) this.#sink(moved);
    return top;
  }

  #sink(node: number): void {
    const weight = this.#weightOf(node);
    let at = 1;
    for (;;) {
      let child = at << 1;
      if (child > this.size) break;
      if (child < this.size && this.#weightAt(child + 1) < this.#weightAt(child)) child++;
      if (weight < this.#weightAt(child)) break;
      this.#nodes[at] = this.#nodes[child] ?? 0;
      at = child;
    }
    this.#nodes[at] = node;
  }

  #weightAt(place: number): number {
    return this.#weightOf(this.#nodes[place] ?? 0);
  }

  #weightOf(node: number): number {
    return this.#weights[node] ?? 0;
  }
}
