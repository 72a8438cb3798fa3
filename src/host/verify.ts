import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { TrustError } from '../errors.ts';
import type { Located } from '../locate/located.ts';
import type { Provenance } from '../plugin/provenance.ts';
import { requireValid, type Verification } from '../signing/verify-package.ts';
import { formatNamed, type HostContext } from './host-context.ts';
import { takeSnapshot } from './snapshot.ts';
import type { ResolvedTrustPolicy } from './trust-policy.ts';

/**
 * Refuses what the policy does not allow, before anything of the plugin is parsed or run. Under `digest` and `signed` the
 * plugin is first copied into a content-addressed directory: what was verified is what runs.
 *
 * @throws TrustError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `KEY_UNTRUSTED`, `DIGEST_MISMATCH`
 */
export async function verify(context: HostContext, found: Located): Promise<Provenance> {
  const { trust } = context.options;
  const base = { reference: found.source.reference, source: found.source.kind };
  const signature = await signatureAt(found.directory, formatNamed(context, found.format).archive.signatureFile);
  if (trust.require === 'none') return { ...base, directory: found.directory, signature };
  // Told before anything is copied: the ordinary refusal costs nothing.
  if (trust.require === 'signed' && signature === 'unsigned') requireValid(unsigned(found.directory), found.directory);
  const { directory, verification } = await takeSnapshot(context, found, (each) => {
    if (trust.require === 'signed') requireValid(each, found.directory);
    else requireDigest(each, found.directory, trust);
  });
  const { state, digest, key, uncovered } = verification;
  return {
    ...base,
    directory,
    signature: state === 'valid' || state === 'unsigned' ? state : 'unchecked',
    ...(digest !== undefined && { digest }),
    ...(state === 'valid' && key !== undefined && { signedBy: key }),
    ...(uncovered.length > 0 && { uncoveredFiles: uncovered }),
  };
}

function requireDigest(verification: Verification, directory: string, trust: ResolvedTrustPolicy): void {
  const { digest = '', uncovered, cause } = verification;
  const evidence = { path: directory, cause, details: { digest, accepted: trust.digests, uncovered } };
  if (!trust.digests.includes(digest)) {
    throw new TrustError(
      'DIGEST_MISMATCH',
      `The contents of '${directory}' have the digest '${digest}', which the policy does not name`,
      { ...evidence, hint: 'Add the digest to the policy if these are the contents that you expect' },
    );
  }
  if (trust.covered !== 'all' || uncovered.length === 0) return;
  throw new TrustError('DIGEST_MISMATCH', `The digest of '${directory}' does not cover '${uncovered.join("', '")}'`, {
    ...evidence,
    hint: 'Remove these files, or accept them with covered: original',
  });
}

function unsigned(directory: string): Verification {
  return { state: 'unsigned', message: `Package '${directory}' is not signed`, uncovered: [], escaping: [] };
}

async function signatureAt(directory: string, name: string): Promise<'unsigned' | 'unchecked'> {
  try {
    return (await stat(join(directory, name))).isFile() ? 'unchecked' : 'unsigned';
  } catch {
    // No signature there: the ordinary case.
    return 'unsigned';
  }
}
