import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findAllInterpreters } from './interpreter.ts';
import type { Interpreter } from './interpreter-probe.ts';
import { siblingDirectory } from './sibling-directory.ts';
import { STANDARD_MODULES } from './standard-modules.ts';

let temporary: string;
let root: string;
let cacheDir: string;
let interpreters: readonly Interpreter[];

beforeAll(async () => {
  interpreters = await findAllInterpreters({ env: process.env });
});

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'charmer-siblings-'));
  root = join(temporary, 'plugins');
  cacheDir = join(temporary, 'cache');
  mkdirSync(root);
});

afterEach(() => rmSync(temporary, { recursive: true, force: true }));

function file(path: string, text = ''): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** What a Python with the directory on PYTHONPATH prints. */
function python(directory: string, code: string): string {
  const program = interpreters[0]?.path ?? 'python3';
  return execFileSync(program, ['-c', code], {
    env: { PYTHONPATH: directory },
    encoding: 'utf8',
    cwd: temporary,
  }).trim();
}

describe('siblingDirectory()', () => {
  it('siblingDirectory() shows neighbours to a plugin (O11)', () => {
    file('py_common/__init__.py', 'word = "hello"');
    file('single.py', 'word = "world"');
    file('readme.md');
    file('.hidden/x.py');
    file('__pycache__/x.pyc');
    const directory = siblingDirectory({ root, requires: [] }, cacheDir);
    expect(readdirSync(directory)).toEqual(['py_common', 'single.py']);
    expect(readlinkSync(join(directory, 'py_common'))).toBe(join(root, 'py_common'));
    expect(python(directory, 'import py_common, single; print(py_common.word, single.word)')).toBe('hello world');
  });

  it('siblingDirectory() leaves out neighbours that bear the name of a standard module (W19)', () => {
    file('colorsys/__init__.py', 'stood_in = True');
    file('json.py', 'stood_in = True');
    file('sitecustomize.py', 'print("hijacked")');
    file('_json.cpython-311-x86_64-linux-gnu.so');
    const directory = siblingDirectory({ root, requires: ['colorsys'] }, cacheDir);
    expect(readdirSync(directory)).toEqual([]);
    const code = 'import colorsys, json; print(hasattr(colorsys, "stood_in"), hasattr(json, "stood_in"))';
    expect(python(directory, code)).toBe('False False');
  });

  it('siblingDirectory() shows what is inside a required directory that Python cannot name, and an alias for it', () => {
    file('text-helpers/text_helpers.py', 'word = "inner"');
    file('musicbrainz-helpers/__init__.py', 'word = "alias"');
    file('musicbrainz-helpers/json.py');
    file('not-required/inner.py');
    const requires = ['text-helpers', 'musicbrainz-helpers', 'absent-helpers', '../../etc-x'];
    const directory = siblingDirectory({ root, requires }, cacheDir);
    const code = 'import text_helpers, musicbrainz_helpers; print(text_helpers.word, musicbrainz_helpers.word)';
    expect(python(directory, code)).toBe('inner alias');
    expect(readdirSync(directory)).not.toContain('json.py');
    expect(readdirSync(directory)).not.toContain('inner.py');
  });

  it('siblingDirectory() prefers a real neighbour to the inside of a required directory', () => {
    file('tools.py', 'word = "neighbour"');
    file('more-tools/tools.py', 'word = "inner"');
    const directory = siblingDirectory({ root, requires: ['more-tools'] }, cacheDir);
    expect(python(directory, 'import tools; print(tools.word)')).toBe('neighbour');
  });

  it('siblingDirectory() is the same directory until there is something else to show', () => {
    file('a.py');
    const first = siblingDirectory({ root, requires: [] }, cacheDir);
    const madeAt = statSync(first).ino;
    expect(siblingDirectory({ root: `${root}/`, requires: [] }, cacheDir)).toBe(first);
    expect(statSync(first).ino).toBe(madeAt);
    file('readme.md');
    expect(siblingDirectory({ root, requires: [] }, cacheDir)).toBe(first);
    file('b.py');
    const second = siblingDirectory({ root, requires: [] }, cacheDir);
    expect(readdirSync(second)).toEqual(['a.py', 'b.py']);
    expect(readdirSync(first)).toEqual(['a.py']);
  });

  it('siblingDirectory() returns an absolute path for a relative root and cache (W40)', () => {
    file('a.py');
    const before = process.cwd();
    process.chdir(temporary);
    try {
      const directory = siblingDirectory({ root: 'plugins', requires: [] }, 'cache');
      expect(directory.startsWith(`${process.cwd()}/`)).toBe(true);
      expect(readlinkSync(join(directory, 'a.py'))).toBe(join(process.cwd(), 'plugins', 'a.py'));
    } finally {
      process.chdir(before);
    }
  });

  it('siblingDirectory() drops directories that nobody has used for a month', () => {
    file('a.py');
    const old = siblingDirectory({ root, requires: [] }, cacheDir);
    utimesSync(old, new Date('2000-01-01'), new Date('2000-01-01'));
    file('b.py');
    siblingDirectory({ root, requires: [] }, cacheDir);
    expect(statSync(old, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('STANDARD_MODULES', () => {
  it('STANDARD_MODULES has every name that an interpreter of this machine knows', () => {
    const asked = interpreters.filter(({ versionInfo: [, minor] }) => minor >= 10);
    for (const { path } of asked) {
      const text = execFileSync(path, ['-I', '-S', '-c', 'import sys; print(*sys.stdlib_module_names)'], {
        encoding: 'utf8',
      });
      expect(
        text
          .trim()
          .split(' ')
          .filter((name) => !STANDARD_MODULES.has(name)),
      ).toEqual([]);
    }
  });
});
