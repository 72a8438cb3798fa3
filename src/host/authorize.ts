import { TrustError } from '../errors.ts';
import type { Provenance } from '../plugin/provenance.ts';
import type { PluginSpec } from '../plugin-spec.ts';
import type { ResolvedTrustPolicy } from './trust-policy.ts';

/**
 * Whether the key that signed may sign for this plugin id.
 *
 * @throws TrustError `KEY_UNTRUSTED`
 */
export function authorize(spec: PluginSpec, provenance: Provenance, policy: ResolvedTrustPolicy): void {
  if (policy.require !== 'signed') return;
  const entries = policy.keys.filter(({ key }) => key.hex === provenance.signedBy);
  if (entries.some(({ ids }) => ids === undefined || ids.includes(spec.id))) return;
  throw new TrustError('KEY_UNTRUSTED', `The key that signed '${spec.id}' is not trusted for this plugin id`, {
    plugin: spec.id,
    path: provenance.directory,
    hint: `Add the id '${spec.id}' to the key's ids in the trust policy, if its owner may publish it`,
    details: { signedBy: provenance.signedBy, ids: entries.flatMap(({ ids }) => ids ?? []) },
  });
}
