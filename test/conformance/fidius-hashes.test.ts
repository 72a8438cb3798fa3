import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runHashCases } from './fidius-hashes.ts';

const results = await runHashCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('interfaceHash() agrees with the macro and the stub tool (F16, F17, FW1)', () => {
  it.each(results)('interfaceHash() agrees with $id', (result) => {
    expect(result.reason).toBeUndefined();
    expect(result.outcome).toBe('passed');
  });

  it('runHashCases() sees every recorded interface', () => {
    expect(results).toHaveLength(84);
  });
});
