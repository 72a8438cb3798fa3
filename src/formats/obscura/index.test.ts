import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManifestError } from '../../errors.ts';
import type { ReadonlyTree } from '../format.ts';
import { commandWords, obscura } from './index.ts';
import { canBatch } from './conversation.ts';

const BASE = 'id: p\nname: P\nversion: 1.0.0\nruntime: python\n';

/** A plugin's directory in memory; only its neighbours are on disk. */
function treeOf(directory: string, files: Readonly<Record<string, string>>): ReadonlyTree {
  return {
    directory,
    read: (path) => (files[path] === undefined ? undefined : new TextEncoder().encode(files[path])),
    kind: (path) => (files[path] === undefined ? 'absent' : 'file'),
    list: () => Object.keys(files).sort(),
  };
}

describe('obscura.read()', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'charmer-obscura-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  const tree = (manifest: string, files: Readonly<Record<string, string>> = { 'main.py': '' }) =>
    treeOf(join(root, 'p'), { 'manifest.yml': manifest, ...files });
  const read = (manifest: string, files?: Readonly<Record<string, string>>) => obscura.read(tree(manifest, files));
  const check = (manifest: string) => obscura.check?.(tree(manifest)) ?? [];
  const findings = (manifest: string) => check(manifest).map(({ line, message }) => [line, message]);

  it('describes a plugin as a command, its declared operations, its keys and its neighbours', () => {
    const spec = read(
      `${BASE}script: [python, main.py]\nrequires: []\nauth: [{key: K, required: false}]\ncapabilities: {movieByName: true, movieByURL: false, supportsBatch: true}\n`,
      {
        'main.py': '',
        'requirements.txt': 'requests>=2 # for http\n-r more.txt\n\nattrs==23.1 \\\n ; python_version > "3.9"\n',
      },
    );
    expect(spec).toMatchObject({
      format: 'obscura',
      id: 'p',
      title: 'P',
      operations: [{ name: 'movieByName', kind: 'unary', wireMode: 'typed' }],
      command: { words: ['python3', 'main.py'], cwd: join(root, 'p') },
      secrets: [{ key: 'K', label: 'K', isRequired: false }],
      opening: { openOperations: true },
      findings: [],
      python: {
        requirements: [],
        optionalRequirements: ['requests>=2', 'attrs==23.1   ; python_version > "3.9"'],
        seesBaseSitePackages: true,
        siblings: { root, requires: [] },
      },
    });
    expect(canBatch(spec)).toBe(true);
  });

  it('throws MANIFEST_NOT_FOUND where there is no manifest', () => {
    const error = (() => {
      try {
        return obscura.read(treeOf(root, {}));
      } catch (cause) {
        return cause;
      }
    })();
    expect(error).toBeInstanceOf(ManifestError);
    expect(error).toMatchObject({ code: 'MANIFEST_NOT_FOUND', message: `Cannot read manifest.yml in ${root}` });
  });

  it('leaves the command out where script is no list (O7)', () => {
    expect(read(`${BASE}script: python3 main.py\ncapabilities: {}\n`).command).toBeUndefined();
  });

  it.each([
    [
      `${BASE}script: python3 main.py\ncapabilities: {}\n`,
      [[5, 'script is text, not a list: there is no command to run']],
    ],
    [`${BASE}capabilities: {}\n`, [[4, "Runtime 'python' without script: there is no command to run"]]],
    [`${BASE}script: []\ncapabilities: {}\n`, [[5, 'script is empty: there is no command to run']]],
    [`${BASE}script: [python3, 3]\ncapabilities: {}\n`, [[5, 'Word 2 of script is a number and is passed as text']]],
    [
      `${BASE}script:\n  - python3\n  - gone.py\ncapabilities: {}\n`,
      [[7, "The file 'gone.py' of script does not exist"]],
    ],
    [
      `${BASE}script: [python3, main.py]\ncapabilities:\n  movieByname: true\n  movieByURL: yes\n`,
      [
        [7, "Unknown capability 'movieByname' is kept as undeclared"],
        [8, 'Capability movieByURL is text, not true or false, and is ignored'],
      ],
    ],
    [
      `${BASE}script: [python3, main.py]\ncapabilities: [movieByName]\n`,
      [[6, 'capabilities is a list, not a mapping, and declares nothing']],
    ],
    [
      `${BASE}script: [python3, main.py]\ncapabilities: {}\nauth:\n- key: A\n- {label: x}\n-   key: A\n    required: "no"\n`,
      [
        [9, 'An auth entry has no key'],
        [10, 'auth has key A twice'],
        [11, 'required is text, not true or false, and counts as true'],
      ],
    ],
    [
      `${BASE}script: [python3, main.py]\ncapabilities: {}\nauth: {A: 1}\n`,
      [[7, 'auth is a map, not a list, and is ignored']],
    ],
    [
      `timeout: 5\n${BASE}script: [python3, main.py]\ncapabilities: {}\n# why\nrequires:\n  - py_common\n  - ../x\n`,
      [
        [1, "Unknown key 'timeout' is ignored"],
        [10, "The required sibling 'py_common' is not installed"],
        [11, "The required sibling '../x' is no plain name and has no effect"],
      ],
    ],
    [
      `${BASE.replace('id: p', 'id: ../../evil')}script: [python3, main.py]\ncapabilities: {}\n`,
      [[1, "The id '../../evil' is no plain name"]],
    ],
  ])('finds the trap of %j with its line (W39, W22, §3.1)', (manifest, expected) => {
    expect(findings(manifest)).toEqual(expected);
  });

  it('finds lines in flow notation too (W39)', () => {
    const manifest = `{id: p, name: P, version: 1.0.0, runtime: python,\n script: [python3, main.py], auth: [{key: A},\n {key: A}],\n capabilities: {teleport: true}}`;
    expect(findings(manifest)).toEqual([
      [3, 'auth has key A twice'],
      [4, "Unknown capability 'teleport' is kept as undeclared"],
    ]);
  });

  it('names the nearest capability for a mistyped one (W39)', () => {
    const [finding] = check(`${BASE}script: [python3, main.py]\ncapabilities: {movieByNmae: true}\n`);
    expect(finding?.hint).toBe("Did you mean 'movieByName'?");
  });

  it('is content with a required sibling that is there (§3.1)', () => {
    mkdirSync(join(root, 'py_common'));
    writeFileSync(join(root, 'single.py'), '');
    expect(findings(`${BASE}script: [python3, main.py]\ncapabilities: {}\nrequires: [py_common, single]\n`)).toEqual(
      [],
    );
  });
});

describe('commandWords()', () => {
  it.each([
    [
      ['python', 'python'],
      ['python3', 'python'],
    ],
    [['python2'], ['python2']],
    [['/usr/bin/python'], ['/usr/bin/python']],
    [[' python'], [' python']],
    [['Python'], ['Python']],
  ])('turns %j into %j (O8)', (script, words) => {
    expect(commandWords(script)).toEqual(words);
  });
});
