/**
 * One builder at a time for one environment, across processes.
 *
 * The lock is a directory that holds the owner's identity, made aside and renamed into place: a lock without an owner is
 * never seen. Two processes that break the same stale lock may both get it; that costs a second build, never a broken
 * environment, because builds are made aside and the second one loses the rename.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lifeOf, ownIdentity, parseIdentity } from './process-identity.ts';

/** How often a waiting process looks again: short beside any installation. */
const POLL_MS = 50;
/** The owner renews the time of its lock, so that readers on other machines can tell that it lives. */
const HEARTBEAT_MS = 10_000;
/** An owner that cannot be asked after and has missed six heartbeats is gone. */
const STALE_MS = 6 * HEARTBEAT_MS;
const OWNER_FILE = 'owner.json';

/** How to wait for a lock. */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, before the first wait, with the number of the process that holds the lock. */
  readonly onWait?: ((owner: number) => void) | undefined;
}

/**
 * Runs `work` while this process holds the lock. Waits as long as a living owner works: it is bounded by the owner's
 * life and the caller's signal, not by a clock.
 *
 * @throws the reason of `signal` when the caller gives up waiting
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  await acquire(path, options);
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    remove(path);
  }
}

async function acquire(path: string, options: LockOptions): Promise<void> {
  let hasWaited = false;
  for (;;) {
    options.signal?.throwIfAborted();
    if (tryAcquire(path)) return;
    const holder = holderOf(path);
    if (holder === 'gone') {
      remove(path);
      continue;
    }
    if (!hasWaited) options.onWait?.(holder);
    hasWaited = true;
    // An abort ends the wait; what it means is said at the top of the loop.
    await delay(POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

function tryAcquire(path: string): boolean {
  const aside = `${path}.${randomUUID()}`;
  mkdirSync(aside);
  writeFileSync(join(aside, OWNER_FILE), JSON.stringify(ownIdentity()));
  try {
    // Renaming onto a directory with something in it fails, on every system.
    renameSync(aside, path);
    return true;
  } catch {
    rmSync(aside, { recursive: true, force: true });
    return false;
  }
}

/** Moved away first: an emptied directory can become somebody else's lock before it is removed. */
function remove(path: string): void {
  const away = `${path}.${randomUUID()}`;
  try {
    renameSync(path, away);
  } catch {
    // Somebody else was faster.
    return;
  }
  rmSync(away, { recursive: true, force: true });
}

/** The number of the process that holds the lock, or `gone` when nobody does. */
function holderOf(path: string): number | 'gone' {
  try {
    const owner = parseIdentity(readFileSync(join(path, OWNER_FILE), 'utf8'));
    const life = owner === undefined ? 'unknown' : lifeOf(owner);
    const isSilent = Date.now() - statSync(path).mtimeMs > STALE_MS;
    return life === 'gone' || (life === 'unknown' && isSilent) ? 'gone' : (owner?.pid ?? 0);
  } catch (error) {
    // Released between our attempt and this look, or half removed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Broken by somebody who took us for dead: the build still ends well.
  }
}
