import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findInterpreter } from './interpreter.ts';
import { runTool } from './run-tool.ts';

const env = { PATH: process.env['PATH'] ?? '' };

/** Connects to a socket that the test owns and holds it for ever, ignoring requests to end. */
const HOLDER = `
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = socket.socket(socket.AF_UNIX)
held.connect(sys.argv[1])
held.send(b'x')
signal.pause()
`;
/** Starts a holder of its own and waits for it, deaf as well. */
const PARENT = `
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, '-c', sys.argv[2], sys.argv[1]])
`;
/** Leaves a child that holds the connection and the pipes. */
const LEAVER = `
import os, signal, socket, sys
held = socket.socket(socket.AF_UNIX)
held.connect(sys.argv[1])
held.send(b'x')
if os.fork() == 0:
    signal.pause()
os._exit(0)
`;

let root: string;
let server: Server;
let socketPath: string;
let python: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'charmer-tool-'));
  socketPath = join(root, 's');
  server = createServer().listen(socketPath);
  await once(server, 'listening');
  python = (await findInterpreter({ env: process.env })).path;
});

afterEach(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** A connection that has spoken: its process lives until the connection ends. */
async function connected(): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'data');
  return socket;
}

describe.skipIf(process.platform === 'win32')('runTool()', () => {
  it('runTool() returns both streams and the exit status, and tells lines as they come', async () => {
    const lines: string[] = [];
    const script = 'echo one; echo two >&2; printf three; exit 3';
    for (const guard of [undefined, python]) {
      const outcome = await runTool(
        { program: '/bin/sh', args: ['-c', script] },
        { env, cwd: root, guard, onLine: (line) => lines.push(line) },
      );
      expect(outcome).toMatchObject({ exitCode: 3, stdout: 'one\nthree', stderr: 'two\n', isTimedOut: false });
    }
    expect(lines.sort()).toEqual(['one', 'one', 'two', 'two']);
  });

  it('runTool() tells why a program cannot be started', async () => {
    const absent = { program: join(root, 'absent'), args: [] };
    expect(await runTool(absent, { env, cwd: root })).toMatchObject({ startError: { code: 'ENOENT' } });
    expect(await runTool(absent, { env, cwd: root, guard: python })).toMatchObject({ exitCode: 127 });
  });

  it('runTool() hands over the environment that it is given, and no input', async () => {
    const outcome = await runTool({ program: '/usr/bin/env', args: [] }, { env: { ONLY: 'this' }, cwd: root });
    expect(outcome.stdout).toBe('ONLY=this\n');
    const reader = { program: python, args: ['-c', 'import sys; print(repr(sys.stdin.read()))'] };
    expect((await runTool(reader, { env, cwd: root, guard: python })).stdout).toBe("''\n");
  });

  it('runTool() keeps the end of a flood', async () => {
    const flood = "import sys; sys.stdout.write('x' * 3_000_000 + 'end')";
    const { stdout } = await runTool({ program: python, args: ['-c', flood] }, { env, cwd: root });
    expect(stdout.endsWith('end')).toBe(true);
    expect(stdout.length).toBeLessThan(1_000_000);
  });

  it.each([true, false])(
    'runTool() rejects with the reason and leaves no deaf grandchild when the caller gives up (guarded: %s)',
    async (isGuarded) => {
      const controller = new AbortController();
      const running = runTool(
        { program: python, args: ['-c', PARENT, socketPath, HOLDER] },
        { env, cwd: root, signal: controller.signal, guard: isGuarded ? python : undefined },
      );
      const socket = await connected();
      const reason = new Error('enough');
      const closed = once(socket.resume(), 'close');
      controller.abort(reason);
      await expect(running).rejects.toBe(reason);
      await closed;
    },
  );

  it('runTool() ends a program that overruns its limit', async () => {
    const outcome = await runTool({ program: '/bin/sleep', args: ['600'] }, { env, cwd: root, timeoutMs: 1 });
    expect(outcome).toMatchObject({ isTimedOut: true, signal: 'SIGTERM' });
  });

  it('runTool() does not wait for what a program leaves behind with its pipes', async () => {
    const running = runTool({ program: python, args: ['-c', LEAVER, socketPath] }, { env, cwd: root });
    const socket = await connected();
    const closed = once(socket.resume(), 'close');
    expect(await running).toMatchObject({ exitCode: 0 });
    await closed;
  });

  it('runTool() with a guard leaves nothing behind when this process is killed', async () => {
    const host = spawn(
      process.execPath,
      [
        ...process.execArgv,
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { runTool } from ${JSON.stringify(new URL('./run-tool.ts', import.meta.url).href)};
         const [, python, parent, socket, holder] = process.argv;
         await runTool({ program: python, args: ['-c', parent, socket, holder] }, { env: process.env, cwd: '/', guard: python });`,
        python,
        PARENT,
        socketPath,
        HOLDER,
      ],
      { stdio: 'inherit' },
    );
    const socket = await connected();
    const closed = once(socket.resume(), 'close');
    host.kill('SIGKILL');
    await closed;
  });
});
