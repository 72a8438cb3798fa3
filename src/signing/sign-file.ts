import { type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TrustError } from '../errors.ts';
import { type PublicKey, SIGNATURE_BYTES } from './keys.ts';

/**
 * Signs the raw bytes of a file into the file next to it and returns that one's name (package spec §3.1, row F13). Throws
 * what the file system throws.
 */
export function signFile(file: string, secret: KeyObject): string {
  const signature = sign(null, readFileSync(file), secret);
  const target = signatureFileFor(file);
  writeFileSync(target, signature);
  return target;
}

/**
 * Whether a file's signature is by one of the keys. Throws what the file system throws for the file itself,
 * `SIGNATURE_MISSING` when there is no signature that can be read, and `SIGNATURE_INVALID` for one of a wrong length.
 */
export function verifyFile(file: string, keys: readonly PublicKey[]): boolean {
  const content = readFileSync(file);
  const signature = readSignature(signatureFileFor(file));
  return keys.some(({ key }) => verify(null, content, key, signature));
}

/** Name of the signature of a file; one without an extension gets two dots, as in the original. */
export function signatureFileFor(file: string): string {
  return path.extname(path.basename(file)) === '' ? `${file}..sig` : `${file}.sig`;
}

/** Reads 64 raw bytes. Throws `SIGNATURE_MISSING` or `SIGNATURE_INVALID`. */
export function readSignature(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new TrustError('SIGNATURE_MISSING', `Signature file '${file}' cannot be read`, { cause, path: file });
  }
  if (bytes.length === SIGNATURE_BYTES) return bytes;
  throw new TrustError(
    'SIGNATURE_INVALID',
    `Signature file '${file}' has ${bytes.length} bytes; a signature is exactly ${SIGNATURE_BYTES} bytes`,
    { path: file, details: { reason: 'signature-length' } },
  );
}
