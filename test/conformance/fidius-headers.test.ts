import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runHeaderCases } from './fidius-headers.ts';

const results = await runHeaderCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('decodeHeader() and encodeHeader() agree with the recorded headers (F3, F4)', () => {
  it.each(results)('encodeHeader() agrees with $id', ({ outcome, reason }) => {
    if (outcome !== 'skipped') expect(reason).toBeUndefined();
    expect(outcome).not.toBe('failed');
  });

  it('runHeaderCases() sees every recorded case', () => {
    expect(results).toHaveLength(7);
  });
});
