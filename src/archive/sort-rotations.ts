import { suffixArray } from './suffix-array.ts';

/** A block after the Burrows-Wheeler transform. */
export interface SortedRotations {
  /** Last byte of every rotation, rotations in order. */
  readonly last: Uint8Array;
  /** Place of the rotation that is the block itself. */
  readonly origin: number;
}

/**
 * Sorts all rotations of a block. The block is turned so that it begins with its least rotation: from there, the order of
 * suffixes is the order of rotations. Rotations that are equal, in a block that repeats itself exactly, may come in
 * another order than libbz2's; every reader gets the same bytes.
 */
export function sortRotations(block: Uint8Array): SortedRotations {
  const length = block.length;
  const start = leastRotation(block);
  const turned = new Int32Array(length);
  for (let at = 0; at < length; at++) turned[at] = block[(start + at) % length] ?? 0;
  const suffixes = suffixArray(turned, 255);
  const last = new Uint8Array(length);
  let origin = 0;
  const first = (length - start) % length;
  for (let place = 0; place < length; place++) {
    const suffix = suffixes[place] ?? 0;
    if (suffix === first) origin = place;
    last[place] = turned[suffix === 0 ? length - 1 : suffix - 1] ?? 0;
  }
  return { last, origin };
}

/** Start of the lexicographically least rotation, in linear time. */
function leastRotation(block: Uint8Array): number {
  const length = block.length;
  let left = 0;
  let right = 1;
  let equal = 0;
  while (left < length && right < length && equal < length) {
    const a = block[(left + equal) % length] ?? 0;
    const b = block[(right + equal) % length] ?? 0;
    if (a === b) {
      equal++;
      continue;
    }
    if (a > b) left += equal + 1;
    else right += equal + 1;
    if (left === right) right++;
    equal = 0;
  }
  return Math.min(left, right);
}
