/** Bounds of an archive, all of them checked against what is really read. */
export interface UnpackLimits {
  /** Bytes of all entries together. @default 524288000 */
  readonly maxBytes: number;
  /** How often the archive's own size its content may be; 0: no such limit. @default 10 */
  readonly maxRatio: number;
  /** Content up to this many bytes is never refused for its ratio. @default 52428800, and 0 with `compat` */
  readonly ratioFloorBytes: number;
  /** @default 10000 */
  readonly maxEntries: number;
  /** Bytes of one long name or extended header. @default 1048576 */
  readonly maxMetadataBytes: number;
}

/** The original's limits, with a floor under the ratio so that small packages of repetitive text unpack (row FW9). */
export const DEFAULT_LIMITS: UnpackLimits = {
  maxBytes: 524_288_000,
  maxRatio: 10,
  ratioFloorBytes: 52_428_800,
  maxEntries: 10_000,
  maxMetadataBytes: 1_048_576,
};

/** Room for headers and padding beside the entries' own bytes, per entry. */
const OVERHEAD_PER_ENTRY = 2048;

/** What the caller set, over the defaults. */
export function resolveLimits(limits: Partial<UnpackLimits> | undefined, isCompat: boolean): UnpackLimits {
  return { ...DEFAULT_LIMITS, ...(isCompat ? { ratioFloorBytes: 0 } : {}), ...limits };
}

/** Largest decompressed stream that entries within the limits can fill. */
export function maxStreamBytes(limits: UnpackLimits): number {
  return limits.maxBytes + limits.maxEntries * OVERHEAD_PER_ENTRY + limits.maxMetadataBytes;
}
