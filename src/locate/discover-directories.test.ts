import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimFormat, type FormatClaim } from './claim-format.ts';
import { discoverDirectories } from './discover-directories.ts';

const FORMATS: readonly FormatClaim[] = [
  { name: 'one', manifestFile: 'one.toml', archiveExtension: 'one' },
  { name: 'two', manifestFile: 'two.yml', archiveExtension: 'two' },
];

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-discover-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function plugin(path: string, ...manifests: string[]): string {
  const directory = join(root, path);
  mkdirSync(directory, { recursive: true });
  for (const manifest of manifests) writeFileSync(join(directory, manifest), '');
  return directory;
}

describe('claimFormat()', () => {
  it('claimFormat() names the format whose manifest is there', () => {
    expect(claimFormat(plugin('a', 'two.yml'), FORMATS)).toBe('two');
  });

  it('claimFormat() says which manifests it looked for', () => {
    const directory = plugin('a');
    expect(() => claimFormat(directory, FORMATS)).toThrow(
      expect.objectContaining({
        code: 'FORMAT_UNKNOWN',
        message: `Directory '${directory}' has no plugin manifest, expected one of 'one.toml', 'two.yml'`,
        path: directory,
      }),
    );
  });

  it('claimFormat() refuses a directory that two formats claim and names both', () => {
    const directory = plugin('a', 'one.toml', 'two.yml');
    expect(() => claimFormat(directory, FORMATS)).toThrow(
      expect.objectContaining({
        code: 'FORMAT_AMBIGUOUS',
        message: `Directory '${directory}' has 'one.toml' (one) and 'two.yml' (two), expected one manifest`,
      }),
    );
  });
});

describe('discoverDirectories()', () => {
  it('discoverDirectories() lists plugins one level deep, sorted within each search path (F35)', () => {
    const c = plugin('first/c', 'one.toml');
    const a = plugin('first/a', 'two.yml');
    plugin('first/a/nested', 'one.toml');
    plugin('first/no-plugin', 'readme.md');
    plugin('first/.hidden', 'one.toml');
    const b = plugin('second/b', 'one.toml');
    writeFileSync(join(root, 'first', 'file'), '');
    const paths = [
      join(root, 'second'),
      join(root, 'absent'),
      join(root, 'first'),
      join(root, 'second'),
      join(root, 'first', 'file'),
    ];
    expect(discoverDirectories(paths, FORMATS)).toEqual([
      { directory: b, format: 'one' },
      { directory: a, format: 'two' },
      { directory: c, format: 'one' },
    ]);
  });

  it('discoverDirectories() keeps a directory that two formats claim, with the reason', () => {
    const both = plugin('both', 'one.toml', 'two.yml');
    expect(discoverDirectories([root], FORMATS)).toEqual([
      { directory: both, problem: expect.objectContaining({ code: 'FORMAT_AMBIGUOUS' }) },
    ]);
  });

  it('discoverDirectories() sees linked plugins and passes over dangling links', () => {
    const target = plugin('elsewhere/a', 'one.toml');
    mkdirSync(join(root, 'plugins'));
    symlinkSync(target, join(root, 'plugins', 'linked'));
    symlinkSync(join(root, 'nowhere'), join(root, 'plugins', 'dangling'));
    expect(discoverDirectories([join(root, 'plugins')], FORMATS)).toEqual([
      { directory: join(root, 'plugins', 'linked'), format: 'one' },
    ]);
  });
});
