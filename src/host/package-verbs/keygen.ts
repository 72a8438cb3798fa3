import { generateKeys, type KeyFiles } from '../../signing/keygen.ts';
import { readPublicKey } from '../../signing/keys.ts';
import { usingKey } from './target.ts';

/** How a key pair is made. */
export interface KeygenOptions {
  /** Overwrites in silence, as the original does. @default false */
  readonly compat?: boolean | undefined;
}

/** A fresh key pair. */
export interface KeygenResult extends KeyFiles {
  /** The public key in hexadecimal: what reports call its owner. */
  readonly key: string;
}

/**
 * Writes `BASE.secret` (32 raw bytes, for its owner's eyes only from the first moment) and `BASE.public` (32 raw bytes).
 *
 * @throws TrustError `SIGNATURE_INVALID` when either file is there, or cannot be written
 */
export async function keygen(base: string, options: KeygenOptions = {}): Promise<KeygenResult> {
  const files = usingKey(base, () => generateKeys(base, { compat: options.compat === true }));
  return { ...files, key: readPublicKey(files.public).hex };
}
