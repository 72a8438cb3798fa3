import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { TrustError } from '../errors.ts';
import type { Located } from '../locate/located.ts';
import type { Provenance } from '../plugin/provenance.ts';
import type { HostContext } from './host-context.ts';
import { formatNamed } from './host-context.ts';
import { verifiedSnapshot } from './snapshot.ts';

/**
 * Refuses what the policy does not allow, before anything of the plugin is parsed or run. Under `digest` and `signed` the
 * plugin is first copied into a content-addressed directory: what was verified is what runs.
 *
 * @throws TrustError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `KEY_UNTRUSTED`, `DIGEST_MISMATCH`
 */
export async function verify(context: HostContext, found: Located): Promise<Provenance> {
  const { trust } = context.options;
  const base = { reference: found.source.reference, source: found.source.kind, directory: found.directory };
  if (trust.require === 'none') {
    const { signatureFile } = formatNamed(context, found.format).archive;
    return { ...base, signature: await hasFile(found.directory, signatureFile) };
  }
  const snapshot = await verifiedSnapshot(context, found);
  if (trust.require === 'digest' && !(trust.digests ?? []).includes(snapshot.digest)) {
    throw new TrustError(
      'DIGEST_MISMATCH',
      `The contents of '${found.directory}' have the digest ${snapshot.digest}, which the policy does not name`,
      {
        path: found.directory,
        hint: 'Add the digest to the policy if these are the contents that you expect.',
        details: { digest: snapshot.digest, accepted: trust.digests ?? [] },
      },
    );
  }
  return { ...base, ...snapshot };
}

async function hasFile(directory: string, name: string): Promise<'unsigned' | 'unchecked'> {
  try {
    return (await stat(join(directory, name))).isFile() ? 'unchecked' : 'unsigned';
  } catch {
    // No signature there: the ordinary case.
    return 'unsigned';
  }
}
