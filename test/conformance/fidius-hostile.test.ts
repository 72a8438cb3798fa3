import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runHostileCases } from './fidius-hostile.ts';

const results = await runHostileCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('unpackPackage() gives the recorded verdicts (F3, F7, F8)', () => {
  it.each(results)('unpackPackage() agrees with $id', ({ outcome, reason }) => {
    if (outcome !== 'skipped') expect(reason).toBeUndefined();
    expect(outcome).not.toBe('failed');
  });

  it('runHostileCases() sees every recorded case', () => {
    expect(results).toHaveLength(82);
  });
});
