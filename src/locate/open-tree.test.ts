import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTree } from './open-tree.ts';

let root: string;
let plugin: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-tree-'));
  plugin = join(root, 'plugin');
  mkdirSync(join(plugin, 'lib'), { recursive: true });
  writeFileSync(join(plugin, 'manifest.yml'), 'id: x\n');
  writeFileSync(join(plugin, 'lib', 'b.py'), '');
  writeFileSync(join(plugin, 'lib', 'a.py'), '');
  writeFileSync(join(root, 'secret'), 'secret');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('openTree()', () => {
  it('openTree() reads files, kinds and sorted names below its directory', () => {
    const tree = openTree(plugin);
    expect(Buffer.from(tree.read('manifest.yml') ?? []).toString()).toBe('id: x\n');
    expect(tree.read('absent')).toBeUndefined();
    expect(tree.read('lib')).toBeUndefined();
    expect(tree.kind('lib')).toBe('directory');
    expect(tree.kind('lib/a.py')).toBe('file');
    expect(tree.kind('lib/c.py')).toBe('absent');
    expect(tree.list('')).toEqual(['lib', 'manifest.yml']);
    expect(tree.list('lib')).toEqual(['a.py', 'b.py']);
    expect(tree.list('manifest.yml')).toEqual([]);
  });

  it.each(['../secret', 'lib/../../secret', '/etc/hostname', 'lib/\0', '..'])(
    'openTree() shows nothing at %j, which is no path of the tree',
    (path) => {
      const tree = openTree(plugin);
      expect(tree.read(path)).toBeUndefined();
      expect(tree.kind(path)).toBe('absent');
      expect(tree.list(path)).toEqual([]);
    },
  );

  it('openTree() follows links, as Python does', () => {
    symlinkSync(join(root, 'secret'), join(plugin, 'link'));
    symlinkSync('link', join(plugin, 'loop-a'));
    expect(Buffer.from(openTree(plugin).read('link') ?? []).toString()).toBe('secret');
    symlinkSync('dangling-target', join(plugin, 'dangling'));
    expect(openTree(plugin).kind('dangling')).toBe('absent');
  });

  it('openTree() never waits for a pipe that stands where a manifest should', () => {
    execFileSync('mkfifo', [join(plugin, 'package.toml')]);
    expect(openTree(plugin).read('package.toml')).toBeUndefined();
  });
});
