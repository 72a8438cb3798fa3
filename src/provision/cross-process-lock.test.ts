import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './cross-process-lock.ts';
import { lifeOf, ownIdentity, parseIdentity, type ProcessIdentity } from './process-identity.ts';

let root: string;
let lock: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'charmer-lock-'));
  lock = join(root, 'locks', 'key');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A lock that somebody else left. */
function leftBy(owner: ProcessIdentity | undefined): void {
  mkdirSync(lock, { recursive: true });
  if (owner !== undefined) writeFileSync(join(lock, 'owner.json'), JSON.stringify(owner));
}

async function deadIdentity(): Promise<ProcessIdentity> {
  const child = spawn('/bin/cat');
  const identity = { ...ownIdentity(), pid: child.pid ?? 0 };
  child.kill('SIGKILL');
  await once(child, 'exit');
  return identity;
}

/** A process that takes the lock, says so, and holds it until its input ends. */
function holder(): ReturnType<typeof spawn> {
  const module = JSON.stringify(new URL('./cross-process-lock.ts', import.meta.url).href);
  const code = `import { withLock } from ${module};
    await withLock(process.argv[1], {}, () => new Promise((done) => { process.stdin.on('end', done).resume(); console.log('held'); }));`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, lock], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

describe('withLock()', () => {
  it('withLock() runs one piece of work at a time and leaves nothing behind', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((done) => setImmediate(done));
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(lock, {}, work)));
    expect(most).toBe(1);
    expect(readdirSync(join(root, 'locks'))).toEqual([]);
  });

  it('withLock() releases the lock when the work fails', async () => {
    const failure = new Error('no');
    await expect(withLock(lock, {}, async () => Promise.reject(failure))).rejects.toBe(failure);
    expect(existsSync(lock)).toBe(false);
  });

  it('withLock() waits for another process, tells which, and goes on when that one is done (R56)', async () => {
    const other = holder();
    await once(other.stdout ?? other, 'data');
    const waitedFor: number[] = [];
    const onWait = (pid: number): void => {
      waitedFor.push(pid);
      other.stdin?.end();
    };
    expect(await withLock(lock, { onWait }, async () => 'done')).toBe('done');
    expect(waitedFor).toEqual([other.pid]);
  });

  it('withLock() goes on when the process that held the lock was killed (R56)', async () => {
    const other = holder();
    await once(other.stdout ?? other, 'data');
    const onWait = (): void => {
      other.kill('SIGKILL');
    };
    expect(await withLock(lock, { onWait }, async () => 'done')).toBe('done');
  });

  it('withLock() breaks a lock whose owner is gone, or whose number another process has now', async () => {
    leftBy(await deadIdentity());
    expect(await withLock(lock, {}, async () => 1)).toBe(1);
    leftBy({ ...ownIdentity(), start: '1' });
    expect(await withLock(lock, {}, async () => 2)).toBe(2);
    leftBy(undefined);
    expect(await withLock(lock, {}, async () => 3)).toBe(3);
  });

  it('withLock() breaks a lock of another machine only when its owner has been silent', async () => {
    const foreign = { pid: 1, start: '1', host: 'elsewhere' };
    leftBy(foreign);
    utimesSync(lock, new Date('2020-01-01'), new Date('2020-01-01'));
    expect(await withLock(lock, {}, async () => 1)).toBe(1);
    leftBy(foreign);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onWait = (): void => controller.abort(reason);
    await expect(withLock(lock, { onWait, signal: controller.signal }, async () => 2)).rejects.toBe(reason);
  });
});

describe('lifeOf()', () => {
  it('lifeOf() tells living, dead and foreign processes apart', async () => {
    expect(lifeOf(ownIdentity())).toBe('alive');
    expect(lifeOf(await deadIdentity())).toBe('gone');
    expect(lifeOf({ ...ownIdentity(), host: 'elsewhere' })).toBe('unknown');
  });

  it('parseIdentity() reads what was written and nothing else', () => {
    expect(parseIdentity(JSON.stringify(ownIdentity()))).toEqual(ownIdentity());
    for (const text of ['', '{', 'null', '[]', '{"pid":"1","start":"","host":""}'])
      expect(parseIdentity(text)).toBeUndefined();
  });
});
