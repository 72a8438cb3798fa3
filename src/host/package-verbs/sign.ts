import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { parsePublicKey, parseSecretKey, publicBytesOf, readSecretKey } from '../../signing/keys.ts';
import { signFile } from '../../signing/sign-file.ts';
import { signPackage } from '../../signing/sign-package.ts';
import { existing, packageIn, readingPackage, usingKey, type PackageVerbOptions } from './target.ts';

/** Who signs. */
export interface SignOptions extends PackageVerbOptions {
  /** The secret key: 32 raw bytes, or the file that holds them. */
  readonly key: string | Uint8Array;
}

/** What was signed. */
export interface SignResult {
  /** `package`: a directory by the digest of its files; `file`: any file by its bytes. */
  readonly kind: 'package' | 'file';
  readonly path: string;
  /** Where the signature is. */
  readonly signatureFile: string;
  /** The public key in hexadecimal. */
  readonly key: string;
  /** What was signed: the package's digest, or the file's SHA-256, in hexadecimal. */
  readonly digest: string;
  /** Files of the package that the signature does not cover, in order. */
  readonly uncovered: readonly string[];
}

/**
 * Signs a package's directory, or any other file, over an older signature. Only the manifest's presence is asked for: a
 * package that is not yet right can be signed, as in the original.
 *
 * @throws TrustError `SIGNATURE_INVALID` for a key that is none
 * @throws LocateError `PLUGIN_NOT_FOUND`; ManifestError `FORMAT_UNKNOWN`, `FORMAT_AMBIGUOUS` for a directory that is no package
 * @throws ArchiveError for a tree that has no digest
 */
export async function sign(path: string, options: SignOptions): Promise<SignResult> {
  const absolute = existing(path);
  const { key: given } = options;
  const secret = typeof given === 'string' ? usingKey(given, () => readSecretKey(given)) : parseSecretKey(given);
  const key = parsePublicKey(publicBytesOf(secret)).hex;
  return readingPackage(absolute, async () => {
    if (!statSync(absolute).isDirectory()) {
      const digest = createHash('sha256')
        .update(await readFile(absolute))
        .digest('hex');
      return { kind: 'file', path: absolute, signatureFile: signFile(absolute, secret), key, digest, uncovered: [] };
    }
    const { directory, format } = packageIn(absolute, options);
    const { file, hex, uncovered } = await signPackage(directory, format.archive, secret);
    return { kind: 'package', path: directory, signatureFile: file, key, digest: hex, uncovered };
  });
}
