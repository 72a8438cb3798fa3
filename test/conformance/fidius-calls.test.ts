import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCallCases } from './fidius-calls.ts';

const results = await runCallCases(fileURLToPath(new URL('../../fixtures/conformance/fidius', import.meta.url)));

/** Checklist rows that a section of the record proves. */
const SECTIONS: readonly (readonly [string, string])[] = [
  ['host_to_python', 'F24, F25, F26'],
  ['python_to_rust', 'F27, FW18, FW19, FW20, FW27'],
  ['raw', 'F25, F28, F29'],
  ['errors', 'F30'],
  ['load', 'F20, F21, F22, F23, FW25'],
  ['server_streams', 'F31, FW24'],
  ['fed_streams', 'F32, F33'],
  ['configured', 'F34'],
  ['fixtures', 'F19, F20, F21'],
  ['environment', 'F20, F35, F36, FW16, FW21, FW22, FW23'],
];

describe.each(SECTIONS)('PluginHost agrees with the recorded host: %s (%s)', (section) => {
  const rows = results.filter(({ id }) => id.startsWith(`calls/${section}/`));

  it(`runCallCases() runs rows of ${section}`, () => {
    expect(rows.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(0);
  });

  it.each(rows.filter(({ outcome }) => outcome !== 'skipped'))('PluginHost agrees with $id', (result) => {
    expect(result.reason).toBeUndefined();
    expect(result.outcome).toBe('passed');
  });
});

describe('runCallCases()', () => {
  it('runCallCases() skips only with a reason', () => {
    const skipped = results.filter(({ outcome }) => outcome === 'skipped');
    expect(skipped.every(({ reason }) => reason !== undefined && reason !== '')).toBe(true);
    expect(skipped.length).toBeLessThan(25);
  });
});
