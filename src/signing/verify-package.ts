import { verify } from 'node:crypto';
import path from 'node:path';
import { digestTree } from '../archive/tree-digest.ts';
import { TrustError } from '../errors.ts';
import type { ArchiveRules } from '../plugin-spec.ts';
import type { PublicKey } from './keys.ts';
import { readSignature } from './sign-file.ts';

/**
 * What a signature says about a package. `unsigned`: there is none. `invalid`: it is malformed, or no key that we have
 * made it over this content. `untrusted`: it is good, but by a key that is known and not trusted, or there is no key to
 * check it with. `valid`: good and by a trusted key. `error`: the package could not be read.
 */
export type SignatureState = 'unsigned' | 'invalid' | 'untrusted' | 'valid' | 'error';

/** Whom to trust and how much must be covered. */
export interface VerifyOptions {
  /** Tried in order. */
  readonly trustedKeys: readonly PublicKey[];
  /** Keys that are recognised without being trusted: they tell `untrusted` from `invalid`. */
  readonly knownKeys?: readonly PublicKey[];
  /** `original`: files that the original does not sign are reported only; `all`: they are refused. @default 'original' */
  readonly covered?: 'original' | 'all';
  /** What messages call the package. @default its directory */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

/** The answer, with its evidence. */
export interface Verification {
  readonly state: SignatureState;
  /** One line for people. */
  readonly message: string;
  /** Digest of the content in hexadecimal; absent when it could not be computed. */
  readonly digest?: string;
  /** The key that made the signature, in hexadecimal. */
  readonly key?: string;
  /** Files on disk that no signature covers: excluded directories and other signature files (rows FW3, FW4). */
  readonly uncovered: readonly string[];
  /** Covered files whose content lies outside the package, behind a link. */
  readonly escaping: readonly string[];
  readonly cause?: unknown;
}

/**
 * Checks the signature of a package directory without reading anything of its meaning (package spec §3.4, rows F12, F36).
 * Never throws for what it finds, only for an aborted signal.
 */
export async function verifyPackage(
  directory: string,
  rules: ArchiveRules,
  options: VerifyOptions,
): Promise<Verification> {
  const { name = directory, signal } = options;
  const signature = signatureIn(directory, rules, name);
  try {
    const digest = await digestTree(directory, rules, signal === undefined ? {} : { signal });
    const found = { digest: digest.hex, uncovered: digest.uncovered, escaping: digest.escaping };
    if (!Buffer.isBuffer(signature)) return { ...signature, ...found };
    const matches = ({ key }: PublicKey): boolean => verify(null, digest.digest, key, signature);
    return { ...judge(name, options, { matches, uncovered: digest.uncovered }), ...found };
  } catch (cause) {
    signal?.throwIfAborted();
    const known = { uncovered: [], escaping: [] };
    if (!Buffer.isBuffer(signature)) return { ...signature, ...known };
    return { state: 'error', message: `Package '${name}' cannot be read to verify it`, cause, ...known };
  }
}

/** Throws the coded error of every state but `valid`; an error in reading counts as an invalid signature (row F36). */
export function requireValid(verification: Verification, directory: string): void {
  const { state, message, cause, uncovered } = verification;
  if (state === 'valid') return;
  const evidence = { path: directory, cause, details: { state, uncovered } };
  if (state === 'unsigned')
    throw new TrustError('SIGNATURE_MISSING', message, {
      ...evidence,
      hint: 'Sign the package, or allow unsigned ones',
    });
  if (state === 'untrusted')
    throw new TrustError('KEY_UNTRUSTED', message, {
      ...evidence,
      hint: 'Add the key to the trusted ones if you know it',
    });
  throw new TrustError('SIGNATURE_INVALID', message, {
    ...evidence,
    hint: 'Get the package again from where it is signed',
  });
}

/** The signature's 64 bytes, or what is to be said when there are none. */
function signatureIn(
  directory: string,
  rules: ArchiveRules,
  name: string,
): Buffer | Pick<Verification, 'state' | 'message' | 'cause'> {
  try {
    return readSignature(path.join(directory, rules.signatureFile));
  } catch (cause) {
    const isMissing = cause instanceof TrustError && cause.code === 'SIGNATURE_MISSING';
    return isMissing
      ? { state: 'unsigned', message: `Package '${name}' is not signed`, cause }
      : { state: 'invalid', message: `Signature of package '${name}' is no signature`, cause };
  }
}

interface Match {
  readonly uncovered: readonly string[];
  readonly matches: (key: PublicKey) => boolean;
}

function judge(
  name: string,
  options: VerifyOptions,
  { matches, uncovered }: Match,
): Pick<Verification, 'state' | 'message' | 'key'> {
  const signer = options.trustedKeys.find(matches);
  if (signer !== undefined) {
    if (options.covered !== 'all' || uncovered.length === 0)
      return { state: 'valid', message: `Package '${name}' is signed by '${signer.hex}'`, key: signer.hex };
    const files = uncovered.join("', '");
    return {
      state: 'invalid',
      message: `Signature of package '${name}' does not cover '${files}'`,
      key: signer.hex,
    };
  }
  const known = options.knownKeys?.find(matches);
  if (known !== undefined)
    return {
      state: 'untrusted',
      message: `Package '${name}' is signed by '${known.hex}', which is not trusted`,
      key: known.hex,
    };
  if (options.trustedKeys.length === 0 && (options.knownKeys ?? []).length === 0)
    return { state: 'untrusted', message: `Package '${name}' is signed, but no key is trusted` };
  return {
    state: 'invalid',
    message: `Signature of package '${name}' is by none of the known keys over this content`,
  };
}
