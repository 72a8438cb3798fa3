import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCliCases } from './fidius-cli.ts';

const results = await runCliCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('runFidiusCommand() reproduces the recorded command lines (F5, F9, F10, F12, F13, F14, F15)', () => {
  it.each(results)('runFidiusCommand() agrees with $id', ({ outcome, reason }) => {
    if (outcome !== 'skipped') expect(reason).toBeUndefined();
    expect(outcome).not.toBe('failed');
  });

  it('runCliCases() sees every recorded command line and skips only the Rust scaffolds', () => {
    expect(results).toHaveLength(130);
    expect(results.filter(({ outcome }) => outcome === 'skipped')).toHaveLength(5);
  });
});
