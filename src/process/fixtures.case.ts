/** What the tests of this folder share: an interpreter, plans for the fixture scripts, and proof of life by a socket. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LaunchPlan } from '../plugin-spec.ts';

/** Where the fixture scripts are. */
export const SCRIPTS: string = fileURLToPath(new URL('../../fixtures/plugins/process', import.meta.url));

/** The real interpreter behind `python3`. */
export const INTERPRETER: string = execFileSync(
  process.env['CHARMER_TEST_PYTHON'] ?? 'python3',
  ['-c', 'import os, sys; print(os.path.realpath(sys.executable))'],
  { encoding: 'utf8' },
).trim();

/** A plan with the least of everything. */
export function planOf(argv: readonly string[], overrides: Partial<LaunchPlan> = {}): LaunchPlan {
  return {
    interpreter: INTERPRETER,
    pythonVersion: '3.11.0',
    argv,
    cwd: SCRIPTS,
    env: { PATH: '/usr/bin:/bin' },
    hasWire: false,
    stdin: 'pipe',
    limits: {},
    launcher: 'exec',
    importPath: { first: [], last: [] },
    sitePackages: { kind: 'none' },
    ...overrides,
  };
}

/** A plan that runs a fixture script. */
export function scriptPlan(words: readonly string[], overrides: Partial<LaunchPlan> = {}): LaunchPlan {
  const [script = '', ...rest] = words;
  return planOf([INTERPRETER, join(SCRIPTS, script), ...rest], overrides);
}

/** A socket that tells which processes live: each keeps a connection open until it ends. */
export interface Liveness {
  readonly path: string;
  /** Names of those that live. */
  living(): readonly string[];
  /** Settles when so many live at once. */
  reached(count: number): Promise<void>;
  close(): void;
}

export async function openLiveness(): Promise<Liveness> {
  const directory = mkdtempSync(join(tmpdir(), 'liveness-'));
  const path = join(directory, 's');
  const living = new Map<Socket, string>();
  let changed = withResolvers();
  const change = (): void => {
    changed.resolve();
    changed = withResolvers();
  };
  const server = createServer((socket) => {
    socket.on('data', (data: Buffer) => {
      living.set(socket, data.toString('utf8').trim());
      change();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      living.delete(socket);
      change();
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    living: () => [...living.values()],
    reached: async (count) => {
      while (living.size !== count) await changed.promise;
    },
    close: () => {
      server.close();
      for (const socket of living.keys()) socket.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What promised bounds are multiplied by on machines that do other things as well. */
const SLACK = Number(process.env['CHARMER_TEST_SLACK'] ?? 2);

/** Fails when a promised bound is not kept. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${milliseconds} ms`)), milliseconds * SLACK);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((onResolve) => (resolve = onResolve));
  return { promise, resolve };
}
