import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runDigestCases } from './fidius-digests.ts';

const results = await runDigestCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('digestTree(), packPackage() and signPackage() reproduce the recorded packages (F4, F6, F11, F12)', () => {
  it.each(results)('packPackage() agrees with $id', ({ outcome, reason }) => {
    if (outcome !== 'skipped') expect(reason).toBeUndefined();
    expect(outcome).not.toBe('failed');
  });

  it('runDigestCases() sees every recorded case', () => {
    expect(results).toHaveLength(48);
  });
});
