import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diagnoseStart } from './diagnose-start.ts';
import { unknownExit } from './exit-facts.ts';

const directory = mkdtempSync(join(tmpdir(), 'diagnose-'));
afterAll(() => rmSync(directory, { recursive: true }));
const plan = { interpreter: '/opt/python', argv: ['/opt/python', 'main.py'], cwd: directory };

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

function header(start: readonly number[], machineAt18: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.set(start);
  bytes.writeUInt16LE(machineAt18, 18);
  return bytes;
}

describe('diagnoseStart()', () => {
  it('diagnoseStart() names the processor that a binary was built for', () => {
    const path = file('arm', header([0x7f, 0x45, 0x4c, 0x46, 2, 1], 183));
    const { code, message } = diagnoseStart({
      plan,
      stderrTail: [],
      spawnError: { stage: 'exec', name: 'ENOEXEC', path },
    });
    expect(code).toBe('SPAWN_FAILED');
    expect(message).toContain(`'${path}' is built for linux arm64, this machine is ${process.platform}`);
  });

  it('diagnoseStart() knows binaries of other systems', () => {
    const mac = file('mac', Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1, ...Array<number>(12).fill(0)]));
    const windows = file('win', Buffer.from('MZ'.padEnd(20, '\0')));
    const messages = [mac, windows].map(
      (path) => diagnoseStart({ plan, stderrTail: [], spawnError: { stage: 'exec', name: 'ENOEXEC', path } }).message,
    );
    expect(messages[0]).toContain('is built for darwin arm64');
    expect(messages[1]).toContain('is built for win32');
  });

  it('diagnoseStart() tells a missing program from one whose interpreter is missing', () => {
    const path = join(directory, 'dangling');
    symlinkSync('/nonexistent', path);
    const of = (program: string): string =>
      diagnoseStart({ plan, stderrTail: [], spawnError: { stage: 'exec', name: 'ENOENT', path: program } }).message;
    expect(of(path)).toContain('exists, but what it needs to run does not');
    expect(of('/nonexistent')).toBe("The program '/nonexistent' does not exist");
    expect(of('pythn')).toBe("The command 'pythn' was not found on PATH");
  });

  it('diagnoseStart() blames the directory when Node blames the program', () => {
    const lost = { ...plan, cwd: '/nonexistent' };
    expect(diagnoseStart({ plan: lost, stderrTail: [], spawnError: { code: 'ENOENT' } }).message).toBe(
      "The working directory '/nonexistent' does not exist",
    );
  });

  it('diagnoseStart() names the package that an import misses', () => {
    const stderrTail = ['Traceback (most recent call last):', "ModuleNotFoundError: No module named 'numpy.linalg'"];
    expect(diagnoseStart({ plan, stderrTail, exit: { ...unknownExit(1, 2), code: 1 } })).toEqual({
      code: 'IMPORT_FAILED',
      message: "The plugin imports 'numpy.linalg', which is not installed for it",
      hint: "Add the package that provides 'numpy' to the plugin's requirements",
    });
  });

  it.each([
    [
      'SyntaxError: invalid syntax',
      'IMPORT_FAILED',
      "The plugin's code could not be imported: SyntaxError: invalid syntax",
    ],
    [
      'python: error while loading shared libraries: libpython3.11.so.1.0: cannot open',
      'EXITED_BEFORE_READY',
      "The interpreter '/opt/python' needs the shared library 'libpython3.11.so.1.0', which was not found",
    ],
    [
      "ModuleNotFoundError: No module named 'encodings'",
      'EXITED_BEFORE_READY',
      "The interpreter '/opt/python' does not find its standard library",
    ],
    ['boom', 'EXITED_BEFORE_READY', "The plugin's process exited with code 1 before it was ready: boom"],
  ])('diagnoseStart() reads %o', (line, code, message) => {
    const exit = { ...unknownExit(1, 2), code: 1 };
    expect(diagnoseStart({ plan, stderrTail: [line, ''], exit })).toMatchObject({ code, message });
  });

  it('diagnoseStart() suspects memory when somebody killed the process', () => {
    const exit = { ...unknownExit(1, 2), signal: 'SIGKILL' };
    expect(diagnoseStart({ plan, stderrTail: [], exit })).toEqual({
      code: 'EXITED_BEFORE_READY',
      message: "The plugin's process was killed by SIGKILL (out of memory?) before it was ready",
      hint: 'Give the plugin or the machine more memory',
    });
  });
});
