import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill, scratch } from './scratch.case.ts';
import { vendorRequirements } from './vendor.ts';

const temporary = scratch();

/** An installer that writes down its words and makes the target. */
const RECORDS = `#!/bin/sh
printf '%s\\n' "$@" > "$LOG"
while [ $# -gt 1 ]; do [ "$1" = --target ] && mkdir -p "$2/tiny-1.dist-info" && echo x > "$2/tiny.py"; shift; done
`;

function program(text: string): string {
  const file = path.join(temporary(), 'python3');
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

function setUp(requirements = 'tiny==1\n'): { directory: string; log: string; env: Record<string, string> } {
  const directory = fill(temporary(), { 'requirements.txt': requirements });
  const log = path.join(temporary(), 'log');
  return { directory, log, env: { LOG: log, PATH: process.env['PATH'] ?? '' } };
}

describe('vendorRequirements()', () => {
  it("vendorRequirements() runs the original's command with compat (F9)", async () => {
    const { directory, log, env } = setUp();
    const report = await vendorRequirements({ directory, python: program(RECORDS), env, compat: true });
    expect(report.state).toBe('installed');
    const words = [
      '-m',
      'pip',
      'install',
      '-r',
      `${directory}/requirements.txt`,
      '--target',
      `${directory}/vendor`,
      '--quiet',
    ];
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual(words);
    expect(readdirSync(path.join(directory, 'vendor')).sort()).toEqual(['tiny-1.dist-info', 'tiny.py']);
  });

  it('vendorRequirements() takes wheels only, writes no byte-code and installs aside (FW26)', async () => {
    const { directory, log, env } = setUp();
    const commands: string[] = [];
    const onCommand = (words: readonly string[]): void => void commands.push(words.join(' '));
    await vendorRequirements({ directory, python: program(RECORDS), env, requireHashes: true, onCommand });
    const words = readFileSync(log, 'utf8').trim().split('\n');
    expect(words).toEqual(expect.arrayContaining(['--no-compile', '--only-binary', ':all:', '--require-hashes']));
    expect(words[words.indexOf('--target') + 1]).not.toBe(`${directory}/vendor`);
    expect(commands).toHaveLength(1);
    expect(readdirSync(directory).sort()).toEqual(['requirements.txt', 'vendor']);
  });

  it('vendorRequirements() installs with uv where it is given', async () => {
    const { directory, log, env } = setUp();
    await vendorRequirements({ directory, python: '/usr/bin/python3', uv: program(RECORDS), env });
    expect(readFileSync(log, 'utf8').trim().split('\n').slice(0, 5)).toEqual([
      'pip',
      'install',
      '--python',
      '/usr/bin/python3',
      '-r',
    ]);
  });

  it('vendorRequirements() does nothing without requirements or with a vendor directory (F9)', async () => {
    const env = {};
    const empty = temporary();
    expect(await vendorRequirements({ directory: empty, python: '/nowhere', env })).toEqual({ state: 'nothing' });
    mkdirSync(path.join(empty, 'vendor'));
    expect(await vendorRequirements({ directory: empty, python: '/nowhere', env })).toEqual({ state: 'present' });
  });

  it('vendorRequirements() notices that requirements have changed, and installs again on request (FW26)', async () => {
    const { directory, env } = setUp();
    const python = program(RECORDS);
    await vendorRequirements({ directory, python, env });
    expect(await vendorRequirements({ directory, python, env })).toEqual({ state: 'present' });
    writeFileSync(path.join(directory, 'requirements.txt'), 'tiny==2\n');
    const { state, stale } = await vendorRequirements({ directory, python, env });
    expect([state, stale]).toEqual(['present', "Requirements have changed since 'vendor' was made"]);
    expect((await vendorRequirements({ directory, python, env, refresh: true })).state).toBe('installed');
    expect((await vendorRequirements({ directory, python, env })).stale).toBeUndefined();
  });

  it('vendorRequirements() notices missing pinned versions where another tool vendored (FW26)', async () => {
    const { directory, env } = setUp('Tiny_Pkg==2\nother>=1\n');
    mkdirSync(path.join(directory, 'vendor', 'tiny_pkg-1.dist-info'), { recursive: true });
    const { stale } = await vendorRequirements({ directory, python: '/nowhere', env });
    expect(stale).toBe("Directory 'vendor' lacks 'tiny-pkg==2', which the requirements pin");
  });

  it('vendorRequirements() leaves nothing of a failed run and says what the installer said', async () => {
    const { directory, env } = setUp();
    const fails = program('#!/bin/sh\nmkdir -p "$7"; echo first >&2; echo last >&2; exit 3\n');
    await expect(vendorRequirements({ directory, python: fails, env })).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: "Requirements cannot be installed: 'last'",
      details: { reason: 'vendoring-failed', exitCode: 3, stderr: 'first\nlast\n' },
    });
    expect(readdirSync(directory)).toEqual(['requirements.txt']);
  });

  it('vendorRequirements() says when the installer cannot be started or was killed', async () => {
    const { directory, env } = setUp();
    const absent = vendorRequirements({ directory, python: '/nowhere/python3', env });
    await expect(absent).rejects.toMatchObject({ cause: { code: 'ENOENT' }, details: { reason: 'vendoring-failed' } });
    const killed = vendorRequirements({ directory, python: program('#!/bin/sh\nkill -9 $$\n'), env });
    await expect(killed).rejects.toMatchObject({ details: { exitCode: -1 } });
  });

  it('vendorRequirements() ends the installer when asked to', async () => {
    const { directory, log, env } = setUp();
    const controller = new AbortController();
    const waits = program('#!/bin/sh\nread line < "$LOG"\n');
    // A pipe that nobody writes: only being ended ends the installer.
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [log]);
    const reason = new Error('enough');
    const running = vendorRequirements({
      directory,
      python: waits,
      env,
      signal: controller.signal,
      onCommand: () => setImmediate(() => controller.abort(reason)),
    });
    await expect(running).rejects.toBe(reason);
    expect(existsSync(path.join(directory, 'vendor'))).toBe(false);
  });
});
