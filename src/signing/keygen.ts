import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { TrustError } from '../errors.ts';
import { KEY_BYTES, publicBytesOf } from './keys.ts';

/** A fresh key pair on disk. */
export interface KeyFiles {
  /** 32 raw bytes, readable by the owner only. */
  readonly secret: string;
  /** 32 raw bytes. */
  readonly public: string;
}

/** How keys are written. */
export interface KeygenOptions {
  /** Overwrites in silence, as the original does. @default false */
  readonly compat?: boolean;
}

/**
 * Writes `BASE.secret` and `BASE.public` (package spec §3.1, rows F10, FW14). The secret file is created with mode 0600, so
 * that nobody else can read it at any moment.
 *
 * Throws `SIGNATURE_INVALID` with `details.reason` `key-exists` when either file is there, and what the file system throws.
 */
export function generateKeys(base: string, options: KeygenOptions = {}): KeyFiles {
  const files = { secret: `${base}.secret`, public: `${base}.public` };
  if (options.compat !== true) refuseExisting(files);
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES);
  if (options.compat === true) rmSync(files.secret, { force: true });
  const descriptor = openSync(files.secret, 'wx', 0o600);
  try {
    writeSync(descriptor, seed);
  } finally {
    closeSync(descriptor);
  }
  // The mask of the process may have taken bits away; it cannot have added any.
  chmodSync(files.secret, 0o600);
  writeFileSync(files.public, publicBytesOf(privateKey), { flag: options.compat === true ? 'w' : 'wx' });
  return files;
}

function refuseExisting(files: KeyFiles): void {
  const existing = [files.secret, files.public].find((file) => existsSync(file));
  if (existing === undefined) return;
  throw new TrustError('SIGNATURE_INVALID', `Key file '${existing}' exists; expected a name that is not in use`, {
    path: existing,
    details: { reason: 'key-exists' },
    hint: 'Choose another name: whoever trusts the old key would not trust a new one under the same name',
  });
}
