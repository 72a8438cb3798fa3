import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runStubCases } from './fidius-stubs.ts';

const results = await runStubCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

describe('pythonStub() writes what the stub tool writes, always importable (F18, FW2)', () => {
  it.each(results)('pythonStub() agrees with $id', (result) => {
    expect(result.reason).toBeUndefined();
    expect(result.outcome).toBe('passed');
  });

  it('runStubCases() sees every recorded stub', () => {
    expect(results).toHaveLength(74);
  });
});
