import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runManifestCases } from './fidius-manifests.ts';

const results = await runManifestCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('parsePackageManifest() gives the recorded verdict (F1, F2)', () => {
  it.each(results)('parsePackageManifest() agrees with $id', (result) => {
    expect(result.reason).toBeUndefined();
    expect(result.outcome).toBe('passed');
  });

  it('runManifestCases() sees every recorded case', () => {
    expect(results).toHaveLength(57);
  });
});
