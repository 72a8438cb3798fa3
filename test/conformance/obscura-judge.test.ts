/** The adapter's own tests: a wrong outcome must not pass, whatever field says so. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RecordedCase } from './obscura-cases.ts';
import { ObscuraCases, runCases } from './obscura.ts';

const MANIFEST = {
  op: 'manifest',
  call: { yaml: 'id: p\nname: P\nversion: 1.0.0\nruntime: python\ncapabilities: {}\nscript: [x]\n' },
};
const VALUE = {
  id: 'p',
  name: 'P',
  version: '1.0.0',
  isNsfw: false,
  runtime: 'python',
  script: ['x'],
  capabilities: {},
};
const BROKEN = { op: 'manifest', call: { yaml: 'id: 5\n' } };
const FETCH = { op: 'fn', call: { function: 'getExternalId', arguments: [{ a: 'x\uFFFD' }, 'a'] } };

describe('the conformance adapter', () => {
  let directory: string;
  let cases: ObscuraCases;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'charmer-judge-'));
    mkdirSync(join(directory, 'plugins'));
    cases = new ObscuraCases(directory);
  });
  afterAll(async () => {
    await cases.close();
    rmSync(directory, { recursive: true });
  });

  const run = (fields: object) =>
    cases.run({ id: 'x/y', section: '1', observed: true, ...fields } as unknown as RecordedCase);

  it.each([
    [{ ...MANIFEST, expected: { kind: 'value', value: VALUE } }],
    [{ ...MANIFEST, expected: { kind: 'value', valueMatches: { id: 'p', capabilities: {} } } }],
    [{ ...MANIFEST, pick: ['id', 'no.where'], expected: { kind: 'value', value: { id: 'p', 'no.where': null } } }],
    [{ ...MANIFEST, expected: { kind: 'either', of: [{ kind: 'error' }, { kind: 'value' }] } }],
    [
      {
        ...BROKEN,
        expected: { kind: 'error', name: 'ManifestParseError', messageIncludes: ['"id"'], pluginPath: '${DIR}' },
      },
    ],
    [{ ...BROKEN, expected: null, ours: { expected: { kind: 'error' }, validate: 'id is a number' } }],
    [{ ...FETCH, expected: { kind: 'value', valueLength: 2, replacementCharacters: 1, damaged: true } }],
  ])('passes what is right: %j', async (fields) => {
    expect(await run(fields)).toEqual({ id: 'x/y', outcome: 'passed' });
  });

  it.each([
    [{ ...MANIFEST, expected: { kind: 'value', value: { ...VALUE, extra: 1 } } }],
    [{ ...MANIFEST, expected: { kind: 'value', valueMatches: { id: 'q' } } }],
    [{ ...MANIFEST, expected: { kind: 'error' } }],
    [{ ...MANIFEST, expected: { kind: 'undefined' } }],
    [{ ...MANIFEST, expected: { kind: 'either', of: [{ kind: 'error' }, { kind: 'value', value: 1 }] } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', never: { kind: 'value' } } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', diagnostic: 'unknown id' } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', validate: 'script is empty' } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', processes: 1 } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', status: { A: 'ok' } } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', reason: 'aborted' } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, ours: { expected: 'same', newField: 1 } }],
    [{ ...MANIFEST, expected: { kind: 'value', newField: 1 } }],
    [
      {
        ...MANIFEST,
        expected: { kind: 'value' },
        ours: { expected: 'same', withOption: { option: 'unheard of', expected: { kind: 'value' } } },
      },
    ],
    [{ ...MANIFEST, expected: { kind: 'value', after: { filesPresent: ['gone'] } } }],
    [{ ...MANIFEST, expected: { kind: 'value' }, settles: [5_000, 6_000] }],
    [{ ...BROKEN, expected: { kind: 'error', message: 'other' } }],
    [{ ...BROKEN, expected: { kind: 'error', name: 'Error' } }],
    [{ ...BROKEN, expected: { kind: 'error', line: 7 } }],
    [{ ...FETCH, expected: { kind: 'value', valueLength: 3 } }],
    [{ ...FETCH, expected: { kind: 'value', replacementCharacters: 0 } }],
    [{ op: 'unheardOf', call: {}, expected: { kind: 'value' } }],
    [{ op: 'fn', call: { function: 'unheardOf', arguments: [] }, expected: { kind: 'value' } }],
  ])('fails what is wrong, or what it does not know: %j', async (fields) => {
    expect(await run(fields)).toMatchObject({ outcome: 'failed', reason: expect.any(String) });
  });

  it('runs any directory of the layout, and says why it skips', async () => {
    const recorded = [
      { id: 'a/b', section: '1', ...MANIFEST, observed: true, expected: { kind: 'value', value: VALUE } },
      {
        id: 'http/x',
        section: '5',
        op: 'http',
        call: { steps: [] },
        observed: true,
        expected: { kind: 'steps', steps: [] },
      },
    ];
    writeFileSync(join(directory, 'outcomes.json'), JSON.stringify({ meta: {}, cases: recorded }));
    const results = await runCases(directory);
    expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'skipped']);
    expect(results[1]?.reason).toContain('store');
  });
});
