import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { copyTree, identifyTree } from '../archive/copy-tree.ts';
import { TrustError, type CodeOf } from '../errors.ts';
import type { Located } from '../locate/located.ts';
import { verifyPackage, type Verification } from '../signing/verify-package.ts';
import { formatNamed, type HostContext } from './host-context.ts';

/** A plugin whose contents were copied and checked. */
export interface Snapshot {
  /** The copy: nothing else of the plugin is read or run. */
  readonly directory: string;
  readonly verification: Verification;
}

/**
 * Copies a plugin into a directory named by all of its contents, once `accept` has agreed to the copy: what was verified
 * is what runs. The copy is staged and renamed; one that is there already is used if it is still what its name says.
 *
 * @param accept Throws to refuse; then nothing is left behind.
 * @throws TrustError `SIGNATURE_INVALID` or `DIGEST_MISMATCH` for contents that cannot be copied, and what `accept` throws
 */
export async function takeSnapshot(
  context: HostContext,
  found: Located,
  accept: (verification: Verification) => void,
): Promise<Snapshot> {
  const { trust, cacheDir } = context.options;
  const store = join(cacheDir, 'snapshots');
  await mkdir(store, { recursive: true });
  const staging = await mkdtemp(join(store, '.staging-'));
  try {
    const copy = join(staging, 'new', basename(found.directory));
    await copyOrRefuse(found.directory, copy, trust.require === 'digest' ? 'DIGEST_MISMATCH' : 'SIGNATURE_INVALID');
    const trustedKeys = trust.keys.map(({ key }) => key);
    const verification = await verifyPackage(copy, formatNamed(context, found.format).archive, {
      trustedKeys,
      covered: trust.covered,
      name: found.directory,
    });
    accept(verification);
    return { directory: await place(staging, copy, store), verification };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function copyOrRefuse(directory: string, copy: string, code: CodeOf<'TrustError'>): Promise<void> {
  try {
    await copyTree(directory, copy);
  } catch (cause) {
    throw new TrustError(code, `Package '${directory}' cannot be read to verify it`, {
      cause,
      path: directory,
      hint: 'Remove broken links, link loops and special files from the package',
    });
  }
}

/** Two hosts may place the same contents at once: whoever comes second finds them there, and they are as good. */
async function place(staging: string, copy: string, store: string): Promise<string> {
  const identity = await identifyTree(copy);
  const target = join(store, identity);
  const placed = join(target, basename(copy));
  for (let attempt = 0; ; attempt += 1) {
    if (await isIntact(placed, identity)) return placed;
    // A plugin that ran from it, or somebody else, has changed it: what is there is no longer what was verified.
    await rename(target, join(staging, `changed-${attempt}`)).catch(ignore('ENOENT'));
    await rename(join(staging, 'new'), target).catch(ignore('ENOTEMPTY', 'EEXIST', 'ENOENT'));
    if (attempt === MAX_ATTEMPTS) throw lostRace(target);
  }
}

/** Each attempt is lost to another host only, which has then placed the same contents. */
const MAX_ATTEMPTS = 8;

async function isIntact(directory: string, identity: string): Promise<boolean> {
  const facts = await stat(directory).catch(() => undefined);
  if (facts?.isDirectory() !== true) return false;
  try {
    return (await identifyTree(directory)) === identity;
  } catch {
    // Changed while it was read, or unreadable: either way not what its name says.
    return false;
  }
}

function ignore(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}

function lostRace(target: string): TrustError {
  return new TrustError('SIGNATURE_INVALID', `The verified copy at '${target}' keeps being changed`, {
    path: target,
    hint: 'Find the program that writes there, or give the host a cache directory of its own',
  });
}
