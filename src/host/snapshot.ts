import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { digestTree } from '../archive/tree-digest.ts';
import type { Located } from '../locate/located.ts';
import type { Provenance } from '../plugin/provenance.ts';
import { parsePublicKey } from '../signing/keys.ts';
import { requireValid, verifyPackage } from '../signing/verify-package.ts';
import { formatNamed, type HostContext } from './host-context.ts';

/** What is known of a plugin whose contents were copied and checked. */
export interface Snapshot extends Pick<Provenance, 'directory' | 'signature' | 'signedBy' | 'uncoveredFiles'> {
  /** Digest of what a signature covers, in hexadecimal. */
  readonly digest: string;
}

/**
 * Copies a plugin into a directory named by all of its contents and checks the copy: what was verified is what runs.
 * The copy is staged and renamed, so that a directory that is there is whole.
 *
 * @throws TrustError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `KEY_UNTRUSTED` under the policy `signed`
 */
export async function verifiedSnapshot(context: HostContext, found: Located): Promise<Snapshot> {
  const { trust, cacheDir } = context.options;
  const rules = formatNamed(context, found.format).archive;
  const store = join(cacheDir, 'snapshots');
  await mkdir(store, { recursive: true });
  const staging = await mkdtemp(join(store, '.staging-'));
  try {
    const copy = join(staging, basename(found.directory));
    await cp(found.directory, copy, { recursive: true, dereference: true, preserveTimestamps: true });
    const digest = await digestTree(copy, rules);
    const signature = await signatureOf(context, copy, found);
    const all = trust.require === 'signed' && trust.covered === 'all';
    const { hex: name } = await digestTree(copy, rules, { coverage: 'all' });
    const directory = await place(staging, join(store, name), basename(found.directory));
    return {
      directory,
      digest: digest.hex,
      ...signature,
      ...(digest.uncovered.length > 0 && !all && { uncoveredFiles: digest.uncovered }),
    };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function signatureOf(
  context: HostContext,
  copy: string,
  found: Located,
): Promise<Pick<Snapshot, 'signature' | 'signedBy'>> {
  const { trust } = context.options;
  const rules = formatNamed(context, found.format).archive;
  const keys = (trust.keys ?? []).map((entry) =>
    parsePublicKey(entry instanceof Uint8Array ? entry : entry.key, 'trust.keys'),
  );
  const verification = await verifyPackage(copy, rules, { trustedKeys: keys, covered: trust.covered ?? 'original' });
  if (trust.require === 'signed') requireValid(verification, found.directory);
  if (verification.state === 'valid' && verification.key !== undefined)
    return { signature: 'valid', signedBy: verification.key };
  return { signature: verification.state === 'unsigned' ? 'unsigned' : 'unchecked' };
}

/** Another host may have put the same contents there meanwhile: then its copy is as good. */
async function place(staging: string, target: string, name: string): Promise<string> {
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await makeReadOnly(staging);
    await rename(staging, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  const [present = name] = await readdir(target);
  return join(target, present);
}

async function makeReadOnly(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o444);
  }
}
