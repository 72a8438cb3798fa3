import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TrustError } from '../errors.ts';
import { isCurvePoint } from './curve-point.ts';

/** Bytes of a key file of either kind (package spec §3.1, row F10). */
export const KEY_BYTES = 32;
/** Bytes of a signature. */
export const SIGNATURE_BYTES = 64;

/** What precedes a raw Ed25519 seed in a PKCS#8 document. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** What precedes a raw Ed25519 point in an SPKI document. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A public key, ready to verify. */
export interface PublicKey {
  readonly key: KeyObject;
  /** The 32 bytes in lower-case hexadecimal: what people compare. */
  readonly hex: string;
}

/**
 * Makes a signing key of a 32-byte seed. Throws `SIGNATURE_INVALID` with `details.reason` `secret-key-length`.
 *
 * @param where What error messages call it, usually the file.
 */
export function parseSecretKey(bytes: Uint8Array, where = 'secret key'): KeyObject {
  refuseLength(bytes, 'secret', where);
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, bytes]), format: 'der', type: 'pkcs8' });
}

/**
 * Makes a verifying key of the 32 bytes of a point. Throws `SIGNATURE_INVALID` with `details.reason` `public-key-length`
 * or `public-key-point`.
 */
export function parsePublicKey(bytes: Uint8Array, where = 'public key'): PublicKey {
  refuseLength(bytes, 'public', where);
  if (!isCurvePoint(bytes)) {
    throw new TrustError('SIGNATURE_INVALID', `Public key in '${where}' is no point of the curve`, {
      details: { reason: 'public-key-point' },
      hint: 'Ask the signer for the public key file again',
    });
  }
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' });
  return { key, hex: Buffer.from(bytes).toString('hex') };
}

/** Reads a secret key file; throws what the file system throws. */
export function readSecretKey(file: string): KeyObject {
  return parseSecretKey(readFileSync(file), file);
}

/** Reads a public key file; throws what the file system throws. */
export function readPublicKey(file: string): PublicKey {
  return parsePublicKey(readFileSync(file), file);
}

/** The 32 bytes of the public key that belongs to a signing key. */
export function publicBytesOf(secret: KeyObject): Buffer {
  return createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

function refuseLength(bytes: Uint8Array, kind: 'secret' | 'public', where: string): void {
  if (bytes.length === KEY_BYTES) return;
  throw new TrustError(
    'SIGNATURE_INVALID',
    `Key file '${where}' has ${bytes.length} bytes; a ${kind} key is exactly ${KEY_BYTES} bytes`,
    { details: { reason: `${kind}-key-length` }, hint: 'Key files are raw bytes, neither hexadecimal nor PEM' },
  );
}
