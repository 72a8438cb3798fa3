import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAllOnPath, findCommand } from './command-lookup.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-command-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(path: string, mode = 0o755): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, mode);
  return file;
}

describe('findCommand()', () => {
  it('findCommand() takes the first executable file on PATH, past directories and files that may not run', () => {
    mkdirSync(join(root, 'a', 'tool'), { recursive: true });
    program('b/tool', 0o644);
    const tool = program('c/tool');
    const path = ['a', 'b', 'absent', 'c'].map((name) => join(root, name)).join(':');
    expect(findCommand('tool', { path, cwd: root })).toEqual({ path: tool });
    expect(findAllOnPath('tool', `${path}:${path}`)).toEqual([tool, tool]);
  });

  it('findCommand() takes a word with a slash for a path from the directory that the child starts in', () => {
    const tool = program('plugin/main.py');
    expect(findCommand('./main.py', { path: '/usr/bin', cwd: join(root, 'plugin') })).toEqual({ path: tool });
    expect(findCommand('main.py', { path: '/usr/bin', cwd: join(root, 'plugin') })).toMatchObject({ errno: 'ENOENT' });
  });

  it('findCommand() says why there is nothing to run', () => {
    program('b/tool', 0o644);
    expect(findCommand('tool', { path: join(root, 'b'), cwd: root })).toEqual({ path: undefined, errno: 'EACCES' });
    expect(findCommand('python3 main.py', { path: process.env['PATH'], cwd: root })).toMatchObject({ errno: 'ENOENT' });
    expect(findCommand('', { path: root, cwd: root })).toMatchObject({ errno: 'EINVAL' });
    expect(findCommand('a\0b', { path: root, cwd: root })).toMatchObject({ errno: 'EINVAL' });
  });

  it('findCommand() looks for a relative entry of PATH where the child would', () => {
    const tool = program('plugin/bin/tool');
    expect(findCommand('tool', { path: 'bin', cwd: join(root, 'plugin') })).toEqual({ path: tool });
  });
});
