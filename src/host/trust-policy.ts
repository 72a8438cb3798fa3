import { checkOptionNames } from '../nearest-name.ts';
import { parsePublicKey, type PublicKey } from '../signing/keys.ts';

/** What a host demands of a plugin before anything of it is parsed or run. */
export interface TrustPolicy {
  /** `none`: anything runs, reports say how it is signed; `digest`: only named contents; `signed`: only signed packages. */
  readonly require: 'none' | 'digest' | 'signed';
  /** Trusted keys: 32 raw bytes each, optionally only for the plugin ids named. @default [] */
  readonly keys?: readonly (Uint8Array | { readonly key: Uint8Array; readonly ids: readonly string[] })[];
  /** Accepted package digests in hexadecimal, either case, for `digest`. @default [] */
  readonly digests?: readonly string[];
  /** `all` refuses packages with files that neither signature nor digest covers. @default 'original' */
  readonly covered?: 'original' | 'all';
}

/** A trust policy whose values have been checked. */
export interface ResolvedTrustPolicy {
  readonly require: TrustPolicy['require'];
  readonly keys: readonly TrustedKey[];
  /** In lower case. */
  readonly digests: readonly string[];
  readonly covered: 'original' | 'all';
}

/** A key, and for which plugins it may sign; absent: for all. */
export interface TrustedKey {
  readonly key: PublicKey;
  readonly ids?: readonly string[];
}

const REQUIREMENTS: readonly unknown[] = ['none', 'digest', 'signed'] satisfies TrustPolicy['require'][];
const COVERAGES: readonly unknown[] = [undefined, 'original', 'all'];

/**
 * Checks a trust policy: a mistake in it must not let anything through.
 *
 * @throws TypeError for unknown names and values of the wrong kind
 * @throws TrustError `SIGNATURE_INVALID` for a key that is none
 */
export function parseTrustPolicy(policy: TrustPolicy = { require: 'none' }): ResolvedTrustPolicy {
  checkOptionNames(policy, ['require', 'keys', 'digests', 'covered'], 'trust');
  const { require, keys = [], digests = [], covered = 'original' } = policy;
  if (!REQUIREMENTS.includes(require))
    throw new TypeError(`The trust option require must be 'none', 'digest' or 'signed'; got '${require}'`);
  if (!COVERAGES.includes(covered))
    throw new TypeError(`The trust option covered must be 'original' or 'all'; got '${covered}'`);
  const wrong = digests.find((digest) => !/^[0-9a-f]{64}$/i.test(digest));
  if (wrong !== undefined) throw new TypeError(`The trust option digests takes 64 hexadecimal digits; got '${wrong}'`);
  return { require, keys: keys.map(parseKey), digests: digests.map((digest) => digest.toLowerCase()), covered };
}

function parseKey(entry: NonNullable<TrustPolicy['keys']>[number], index: number): TrustedKey {
  const where = `trust.keys[${index}]`;
  if (entry instanceof Uint8Array) return { key: parsePublicKey(entry, where) };
  checkOptionNames(entry, ['key', 'ids'], where);
  return { key: parsePublicKey(entry.key, where), ids: entry.ids };
}
