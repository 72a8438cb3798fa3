/**
 * Sorts all suffixes of a text in linear time by induced sorting (Nong, Zhang and Chan, "Two Efficient Algorithms for
 * Linear Time Suffix Array Construction", 2011).
 *
 * @param text Values from 0 to `largest`.
 * @returns Start of every suffix, smallest suffix first.
 */
export function suffixArray(text: Int32Array, largest: number): Int32Array {
  const length = text.length;
  if (length < 2) return new Int32Array(length);
  const isSmall = classify(text);
  const buckets = bucketStarts(text, isSmall, largest);
  const { starts, places } = leftmostSmall(isSmall);
  const sorted = new Int32Array(length);
  induce({ text, isSmall, buckets, sorted }, starts);
  if (starts.length > 0) {
    const order = sorted.filter((suffix) => (places[suffix] ?? -1) !== -1);
    const { names, most } = nameSubstrings({ text, starts, places }, order);
    const reduced = suffixArray(names, most);
    induce(
      { text, isSmall, buckets, sorted },
      reduced.map((place) => starts[place] ?? 0),
    );
  }
  return sorted;
}

interface Buckets {
  /** First place of the large suffixes that begin with a value. */
  readonly large: Int32Array;
  /** First place of the small ones; they follow the large ones. */
  readonly small: Int32Array;
}

interface Induction {
  readonly text: Int32Array;
  readonly isSmall: Uint8Array;
  readonly buckets: Buckets;
  readonly sorted: Int32Array;
}

/** A suffix is small when it is smaller than the one after it. */
function classify(text: Int32Array): Uint8Array {
  const isSmall = new Uint8Array(text.length);
  for (let at = text.length - 2; at >= 0; at--) {
    const here = text[at] ?? 0;
    const next = text[at + 1] ?? 0;
    isSmall[at] = here === next ? (isSmall[at + 1] ?? 0) : here < next ? 1 : 0;
  }
  return isSmall;
}

function bucketStarts(text: Int32Array, isSmall: Uint8Array, largest: number): Buckets {
  const large = new Int32Array(largest + 2);
  const small = new Int32Array(largest + 2);
  for (let at = 0; at < text.length; at++) {
    const value = text[at] ?? 0;
    if (isSmall[at] === 1) large[value + 1] = (large[value + 1] ?? 0) + 1;
    else small[value] = (small[value] ?? 0) + 1;
  }
  for (let value = 0; value <= largest; value++) {
    small[value] = (small[value] ?? 0) + (large[value] ?? 0);
    large[value + 1] = (large[value + 1] ?? 0) + (small[value] ?? 0);
  }
  return { large, small };
}

/** Small suffixes whose left neighbour is large, in order of position; `places` maps positions back, -1 for none. */
function leftmostSmall(isSmall: Uint8Array): { starts: Int32Array; places: Int32Array } {
  const places = new Int32Array(isSmall.length + 1).fill(-1);
  const starts: number[] = [];
  for (let at = 1; at < isSmall.length; at++) {
    if (isSmall[at] !== 1 || isSmall[at - 1] === 1) continue;
    places[at] = starts.length;
    starts.push(at);
  }
  return { starts: Int32Array.from(starts), places };
}

/** From the order of the leftmost small suffixes, finds the order of the large ones, and from that of all small ones. */
function induce({ text, isSmall, buckets, sorted }: Induction, seeds: Int32Array): void {
  const length = text.length;
  sorted.fill(-1);
  let next = buckets.small.slice();
  for (const seed of seeds) {
    const value = text[seed] ?? 0;
    const place = next[value] ?? 0;
    sorted[place] = seed;
    next[value] = place + 1;
  }
  next = buckets.large.slice();
  const last = text[length - 1] ?? 0;
  sorted[next[last] ?? 0] = length - 1;
  next[last] = (next[last] ?? 0) + 1;
  for (let at = 0; at < length; at++) {
    const suffix = (sorted[at] ?? -1) - 1;
    if (suffix < 0 || isSmall[suffix] === 1) continue;
    const value = text[suffix] ?? 0;
    const place = next[value] ?? 0;
    sorted[place] = suffix;
    next[value] = place + 1;
  }
  next = buckets.large.slice();
  for (let at = length - 1; at >= 0; at--) {
    const suffix = (sorted[at] ?? -1) - 1;
    if (suffix < 0 || isSmall[suffix] !== 1) continue;
    const value = (text[suffix] ?? 0) + 1;
    const place = (next[value] ?? 0) - 1;
    sorted[place] = suffix;
    next[value] = place;
  }
}

interface Substrings {
  readonly text: Int32Array;
  readonly starts: Int32Array;
  readonly places: Int32Array;
}

/** Numbers the substrings between leftmost small suffixes so that equal ones get equal numbers. */
function nameSubstrings(about: Substrings, order: Int32Array): { names: Int32Array; most: number } {
  const names = new Int32Array(about.starts.length);
  let most = 0;
  for (let index = 1; index < order.length; index++) {
    if (!areEqual(about, order[index - 1] ?? 0, order[index] ?? 0)) most++;
    names[about.places[order[index] ?? 0] ?? 0] = most;
  }
  return { names, most };
}

function areEqual({ text, starts, places }: Substrings, left: number, right: number): boolean {
  const leftEnd = starts[(places[left] ?? 0) + 1] ?? text.length;
  const rightEnd = starts[(places[right] ?? 0) + 1] ?? text.length;
  if (leftEnd - left !== rightEnd - right) return false;
  let at = left;
  let other = right;
  while (at < leftEnd && text[at] === text[other]) {
    at++;
    other++;
  }
  return at < text.length && at === leftEnd && text[at] === text[other];
}
