import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentKey, normaliseRequirement } from './environment-key.ts';
import type { Interpreter } from './interpreter-probe.ts';

interface Side {
  readonly python_version: string;
  readonly requires: readonly string[];
}

interface Pair {
  readonly a: Side;
  readonly b: Side;
  readonly same: boolean;
  readonly why: string;
  readonly rows: readonly string[];
  readonly ours_may?: 'same';
}

const PAIRS = JSON.parse(
  readFileSync(new URL('../../fixtures/conformance/remotemedia/env-keys.json', import.meta.url), 'utf8'),
) as readonly Pair[];

function interpreter(version: string): Interpreter {
  return {
    path: `/opt/python${version}/bin/python3`,
    version: `${version}.1`,
    versionInfo: [3, Number(version.split('.')[1]), 1],
    prefix: `/opt/python${version}`,
    basePrefix: `/opt/python${version}`,
    platformTag: 'linux-x86_64',
    sitePackages: `/opt/python${version}/site-packages`,
    identity: `identity of ${version}`,
  };
}

function key(side: Side, seesBase = false): string {
  return environmentKey({ requirements: side.requires, interpreter: interpreter(side.python_version), seesBase });
}

describe('environmentKey()', () => {
  it.each(PAIRS)('environmentKey() of $a and $b: same is $same ($why) ($rows)', ({ a, b, same, ours_may: oursMay }) => {
    const isSame = key(a) === key(b);
    if (oursMay === undefined) expect(isSame).toBe(same);
    else expect([same, true]).toContain(isSame);
  });

  it('environmentKey() is 16 hexadecimal digits', () => {
    expect(key({ python_version: '3.11', requires: ['toolz'] })).toMatch(/^[0-9a-f]{16}$/);
  });

  it('environmentKey() changes with the interpreter itself and with what is visible', () => {
    const side = { python_version: '3.11', requires: ['toolz'] };
    const replaced = { ...interpreter('3.11'), identity: 'another' };
    expect(environmentKey({ requirements: ['toolz'], interpreter: replaced, seesBase: false })).not.toBe(key(side));
    expect(key(side, true)).not.toBe(key(side));
  });
});

describe('normaliseRequirement()', () => {
  it.each([
    ['Typing_Extensions', 'typing-extensions'],
    ['zope.interface == 6', 'zope-interface==6'],
    ['Foo_Bar~=1.0', 'foo-bar~=1.0'],
    [' a[X, Y] >= 1 ; python_version < "3.12" ', 'a[X,Y]>=1;python_version < "3.12"'],
    ['My_Pkg @ file:///My_Path/x.whl', 'my-pkg@file:///My_Path/x.whl'],
    ['-e /My_Path', '-e /My_Path'],
    ['./My_Path', './My_Path'],
    ['/My_Path/a.whl', '/My_Path/a.whl'],
  ])('normaliseRequirement() compares %j as %j', (line, normalised) => {
    expect(normaliseRequirement(line)).toBe(normalised);
  });
});
