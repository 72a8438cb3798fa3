import { describe, expect, it } from 'vitest';

import { LocateError, ManifestError } from '../../errors.ts';
import { compareVersions, parseRegistryIndex, resolveEntryZipUrl } from './registry-index.ts';

describe('compareVersions()', () => {
  it.each([
    ['1.10.0', '1.9.0', 1],
    ['1.0.0-beta', '1.0.0', 0],
    ['1.0', '1.0.0', 0],
    ['v2.0.0', '1.0.0', -1],
    ['v2.0.0', '0.0.0', 0],
    ['1.2rc3', '1.2', 0],
    ['1.0.0+build9', '1.0.0+build1', 0],
    ['1..2', '1.0.1', 1],
    ['1.2.3.4', '1.2.3', 1],
    ['', '0', 0],
    ['1.-1', '1.0', 0],
    ['99999999999999999999', '1', 1],
  ])('compares %j with %j as %i (O43)', (a, b, order) => {
    expect(compareVersions(a, b)).toBe(order);
    expect(compareVersions(b, a)).toBe(order === 0 ? 0 : -order);
  });
});

describe('resolveEntryZipUrl()', () => {
  it.each(['../x.zip', 'a/../../x.zip', 'a/%2e%2E/x.zip', 'a\\..\\x.zip', '..'])(
    'refuses %j, which leaves the registry (W38)',
    (path) => {
      expect(() => resolveEntryZipUrl('https://h.invalid/main', path)).toThrow(LocateError);
    },
  );

  it('takes dots within a name', () => {
    expect(resolveEntryZipUrl('https://h.invalid/main', 'a..b/c.zip')).toBe('https://h.invalid/main/a..b/c.zip');
  });
});

describe('parseRegistryIndex()', () => {
  it('coerces entries, drops what is none, and warns of capabilities that are none (O43, W38)', () => {
    const text =
      '- null\n- text\n- {id: 5, version: 1.10, runtime: ~, isNsfw: "true", requires: [a, 3], author: [x], capabilities: {movieByName: "yes", teleport: true, movieByURL: false}}\n';
    const { entries, warnings } = parseRegistryIndex(text, 'https://h.invalid/index.yml');
    expect(entries).toEqual([
      {
        id: '5',
        name: '',
        version: '1.1',
        date: '',
        path: '',
        sha256: '',
        runtime: 'python',
        isNsfw: false,
        capabilities: { movieByURL: false },
        requires: ['a', '3'],
      },
    ]);
    expect(warnings).toEqual([
      "Entry '5': capability movieByName is no boolean",
      "Entry '5': unknown capability teleport",
    ]);
  });

  it.each(['', 'plugins: []\n'])('refuses %j, which is no list', (text) => {
    expect(() => parseRegistryIndex(text, 'x')).toThrow(ManifestError);
    expect(() => parseRegistryIndex(text, 'x')).toThrow('Invalid plugin index format — expected array');
  });
});
