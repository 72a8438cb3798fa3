import { type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestTree, type TreeDigest } from '../archive/tree-digest.ts';
import type { ArchiveRules } from '../plugin-spec.ts';

/** What was signed. */
export interface SignReport extends TreeDigest {
  /** The signature file. */
  readonly file: string;
  /** 64 raw bytes. */
  readonly signature: Buffer;
}

/**
 * Signs a package directory: Ed25519 over its 32-byte digest, deterministic, written to the format's signature file, over
 * an older one (package spec §3.3, row F12). What the signature does not cover is in `uncovered`.
 *
 * Throws what the file system throws, and `ARCHIVE_UNSAFE` for a tree without a portable digest.
 */
export async function signPackage(directory: string, rules: ArchiveRules, secret: KeyObject): Promise<SignReport> {
  const digest = await digestTree(directory, rules);
  const signature = sign(null, digest.digest, secret);
  const file = path.join(directory, rules.signatureFile);
  writeFileSync(file, signature);
  return { ...digest, file, signature };
}
