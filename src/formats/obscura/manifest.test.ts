import { describe, expect, it } from 'vitest';

import { ManifestError } from '../../errors.ts';
import { coerceManifest, parseManifest, textOf } from './manifest.ts';

const BASE = 'id: p\nname: P\nversion: 1.0.0\nruntime: python\ncapabilities: {}\n';
const parse = (yaml: string) => parseManifest(new TextEncoder().encode(yaml), '/plugins/p');

function refusal(yaml: string): ManifestError {
  try {
    parse(yaml);
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('parseManifest()', () => {
  it.each([
    ['', 'Invalid YAML structure in manifest.yml', 1, undefined],
    ['name: P\n', 'Missing or empty required field "id" in manifest', 1, 'id'],
    [BASE.replace('1.0.0', '0.1'), 'Missing or empty required field "version" in manifest', 3, 'version'],
    [
      BASE.replace('python', 'ruby'),
      'Invalid runtime "ruby" — must be "python", "typescript", or "stash-compat"',
      4,
      'runtime',
    ],
    [BASE.replace('{}', 'yes'), 'Missing or invalid "capabilities" in manifest', 5, 'capabilities'],
    [`${BASE}auth:\n  - key: A\n  - B\n`, 'Invalid auth entry in manifest', 8, 'auth.1'],
  ])('refuses %j with the text of §1.5 and its line (O3, O5)', (yaml, message, line, key) => {
    const error = refusal(yaml);
    expect({ code: error.code, message: error.message, key: error.key }).toEqual({
      code: 'MANIFEST_INVALID',
      message,
      key,
    });
    if (yaml !== '') expect(error.line).toBe(line);
  });

  it('says that a version that is a number must be put in quotes (W39)', () => {
    expect(refusal(BASE.replace('1.0.0', '0.1')).hint).toBe(
      "The version is a number: put it in quotes, as in version: '0.1'.",
    );
  });

  it.each([
    [`${BASE}id: q\n`, 'duplicated mapping key', 6, 1],
    ['id: p\nname: [unclosed\nversion: 1.0.0\n', 'missed comma between flow collection entries', 3, 1],
    ['id: p\nauthor: !me x\n', 'unknown tag !<!me>', 2, 14],
    ['a: 1\n---\nb: 2\n', 'expected a single document in the stream, but found more', undefined, undefined],
  ])('refuses %j with the parser’s reason and position (O2)', (yaml, reason, line, column) => {
    const error = refusal(yaml);
    expect(error.details).toEqual({ reason });
    expect([error.line, error.column]).toEqual([line, column]);
  });

  it.each([
    ['014', '14'],
    ['0x1F', '31'],
    ['0o17', '15'],
    ['0b11', '3'],
    ['1_000', '1000'],
    ['0x_F', '15'],
    ['1_0.5', '10.5'],
    ['1_000_', '1_000_'],
    ['_1', '_1'],
    ['1.50', '1.5'],
    ['1e21', '1e+21'],
    ['.inf', 'Infinity'],
    ['2026-04-17', '2026-04-17'],
    ['yes', 'yes'],
    ['True', 'true'],
    ['~', 'null'],
    ['{a: 1}', '[object Object]'],
    ['[x, [y, null]]', 'x,y,'],
    ['{toString: 1}', '[object Object]'],
  ])('reads the word %s of script as %j (O2, O6)', (word, text) => {
    expect(parse(`${BASE}script: [${word}]\n`).manifest.script).toEqual([text]);
  });

  it('keeps boolean capabilities that nobody knows in a map of their own (§1.3)', () => {
    const { manifest, undeclaredCapabilities } = parse(
      BASE.replace(' {}', '\n  movieByName: true\n  teleport: true\n  x: 1'),
    );
    expect(manifest.capabilities).toEqual({ movieByName: true });
    expect(undeclaredCapabilities).toEqual({ teleport: true });
  });

  it('gives the keys in the original’s order and leaves absent ones out (§1.2)', () => {
    const { manifest } = parse(`auth: []\nrequires: []\nscript: []\n${BASE}tags: []\nauthor: A\n`);
    expect(Object.keys(manifest)).toEqual([
      ...['id', 'name', 'version', 'author', 'isNsfw', 'tags', 'runtime', 'script', 'requires', 'auth', 'capabilities'],
    ]);
  });

  it('reads bad UTF-8 as U+FFFD and passes over a byte-order mark (O2)', () => {
    const bytes = Buffer.concat([
      Buffer.from('\uFEFF' + BASE),
      Buffer.from('author: a'),
      Buffer.from([0xff]),
      Buffer.from('b\n'),
    ]);
    expect(parseManifest(bytes, '/p').manifest.author).toBe('a\uFFFDb');
  });
});

describe('coerceManifest()', () => {
  it('takes a list for a document without an id', () => {
    expect(() => coerceManifest([], { directory: '/p' })).toThrow('Missing or empty required field "id" in manifest');
  });

  it('never looks at inherited fields', () => {
    const document = Object.create({ id: 'stolen' }) as object;
    expect(() => coerceManifest(document, { directory: '/p' })).toThrow('"id"');
  });
});

describe('textOf()', () => {
  it('survives a list that contains itself', () => {
    const list: unknown[] = ['a'];
    list.push(list);
    expect(textOf(list)).toBe('a,');
  });
});
