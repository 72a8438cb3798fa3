import { existsSync, statSync } from 'node:fs';

import { TrustError } from '../../errors.ts';
import { parsePublicKey, readPublicKey, type PublicKey } from '../../signing/keys.ts';
import { signatureFileFor, verifyFile } from '../../signing/sign-file.ts';
import { verifyPackage, type SignatureState, type Verification } from '../../signing/verify-package.ts';
import { existing, readingPackage, usingKey, withPackage, type PackageVerbOptions } from './target.ts';

/** Whom to trust. */
export interface VerifyOptions extends PackageVerbOptions {
  /** Trusted public keys: 32 raw bytes each, or the files that hold them. @default [] */
  readonly keys?: readonly (string | Uint8Array)[] | undefined;
  /** `all` refuses packages with files that the signature does not cover. @default 'original' */
  readonly covered?: 'original' | 'all' | undefined;
}

/** What a signature says. */
export interface VerifyResult {
  /** `package`: a directory or what is in an archive; `file`: a file with a signature beside it. */
  readonly kind: 'package' | 'file';
  readonly path: string;
  /**
   * `unsigned`: there is no signature. `invalid`: it is none, or by none of the keys over these contents. `untrusted`: there
   * is no key to check it with. `valid`. `error`: the contents could not be read.
   */
  readonly state: SignatureState;
  /** One line for people. */
  readonly message: string;
  /** Digest of the package in hexadecimal, where it could be computed. */
  readonly digest?: string;
  /** The key that signed, in hexadecimal. */
  readonly signedBy?: string;
  /** Files of the package that no signature covers, in order. */
  readonly uncovered: readonly string[];
  readonly cause?: unknown;
}

/**
 * Checks the signature of a package's directory, of the package in an archive, or of a file with a signature beside it.
 * Nothing of the package is parsed or run. What is found is in `state`; only what cannot be looked at throws.
 *
 * @throws TrustError `SIGNATURE_INVALID` for a key that is none
 * @throws LocateError | ManifestError | ArchiveError there is no package to verify
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<VerifyResult> {
  const absolute = existing(path);
  const trustedKeys = (options.keys ?? []).map(publicKeyOf);
  return readingPackage(absolute, async () => {
    if (statSync(absolute).isFile() && existsSync(signatureFileFor(absolute)))
      return verifyDetached(absolute, trustedKeys);
    return withPackage(absolute, options, async ({ directory, format }) => {
      const { covered = 'original', signal } = options;
      const found = await verifyPackage(directory, format.archive, {
        trustedKeys,
        covered,
        name: absolute,
        ...(signal && { signal }),
      });
      return packageResult(absolute, found);
    });
  });
}

/** Reads a public key that a caller named by file or gave as bytes. */
export function publicKeyOf(key: string | Uint8Array): PublicKey {
  return typeof key === 'string' ? usingKey(key, () => readPublicKey(key)) : parsePublicKey(key);
}

function packageResult(path: string, found: Verification): VerifyResult {
  const { state, message, digest, key, uncovered, cause } = found;
  return {
    kind: 'package',
    path,
    state,
    message,
    ...(digest !== undefined && { digest }),
    ...(key !== undefined && { signedBy: key }),
    uncovered,
    ...(cause !== undefined && { cause }),
  };
}

function verifyDetached(path: string, keys: readonly PublicKey[]): VerifyResult {
  const base = { kind: 'file', path, uncovered: [] } as const;
  try {
    const signer = keys.find((key) => verifyFile(path, [key]));
    if (signer !== undefined)
      return { ...base, state: 'valid', message: `File '${path}' is signed by '${signer.hex}'`, signedBy: signer.hex };
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    return { ...base, state: 'invalid', message: `Signature of file '${path}' is no signature`, cause };
  }
  return keys.length === 0
    ? { ...base, state: 'untrusted', message: `File '${path}' is signed, but no key is trusted` }
    : {
        ...base,
        state: 'invalid',
        message: `Signature of file '${path}' is by none of the known keys over this content`,
      };
}
