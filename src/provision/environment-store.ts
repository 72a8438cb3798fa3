/**
 * Where environments lie, who uses them, and which go when there are too many.
 *
 * Invariants: a directory below `environments/` with a metadata file is complete; it appears by a rename and goes by a
 * rename; a directory that a living process has leased is never taken away. A user writes its lease before it looks
 * whether the environment is there; the one who evicts moves the directory away before it looks for leases a second
 * time, and moves it back when it finds one.
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lifeOf, ownIdentity, parseIdentity } from './process-identity.ts';

/** Environments kept, beside those in use. */
const MAX_ENVIRONMENTS = 8;
/** A lease or a half-made environment of another machine is believed for a day. */
const FOREIGN_MS = 24 * 60 * 60 * 1000;

/** Written last, so that its presence means a complete environment. Its time is when the environment was last used. */
export const METADATA_FILE = 'charmer-environment.json';

/** What is known of an environment without looking into it. */
export interface EnvironmentMetadata {
  /** As the author wrote them. */
  readonly requirements: readonly string[];
  readonly pythonVersion: string;
  /** Interpreter that it was made from. */
  readonly basePython: string;
  /** For example `uv 0.9.2` or `pip`. */
  readonly installer: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Directories of the store. */
export interface EnvironmentPlace {
  readonly root: string;
  readonly directory: string;
  readonly lock: string;
}

/** Where the environment of a key is, or would be. */
export function placeOf(cacheDir: string, key: string): EnvironmentPlace {
  const root = join(resolve(cacheDir), 'environments');
  return { root, directory: join(root, key), lock: join(root, '.locks', key) };
}

/** Absolute path of the Python inside an environment. */
export function pythonOf(environment: string): string {
  return process.platform === 'win32' ? join(environment, 'Scripts', 'python.exe') : join(environment, 'bin', 'python');
}

/** Takes a lease on a complete environment and renews its time; false when there is none. No subprocess. */
export function leaseEnvironment(cacheDir: string, key: string, owner: string): boolean {
  const place = placeOf(cacheDir, key);
  const leases = join(place.root, '.leases', key);
  mkdirSync(leases, { recursive: true });
  writeFileSync(join(leases, leaseName(owner)), JSON.stringify(ownIdentity()));
  const metadata = join(place.directory, METADATA_FILE);
  if (!existsSync(metadata) || !existsSync(pythonOf(place.directory))) return false;
  utimesSync(metadata, new Date(), new Date());
  return true;
}

/**
 * Gives back every environment that this process leased under a name. Leases also end with the process.
 *
 * @param owner The `owner` of the provision options, @default 'process'
 */
export function releaseEnvironments(cacheDir: string, owner = 'process'): void {
  const leases = join(resolve(cacheDir), 'environments', '.leases');
  for (const key of namesIn(leases)) rmSync(join(leases, key, leaseName(owner)), { force: true });
}

/** Removes least recently used environments beyond the number kept, those in use excepted. */
export async function evictEnvironments(cacheDir: string, maxEnvironments: number = MAX_ENVIRONMENTS): Promise<void> {
  const { root } = placeOf(cacheDir, '');
  const complete = namesIn(root)
    .filter((key) => !key.startsWith('.'))
    .map((key) => ({ key, usedAtMs: timeOf(join(root, key, METADATA_FILE)) ?? 0 }))
    .sort((left, right) => right.usedAtMs - left.usedAtMs);
  for (const { key } of complete.slice(maxEnvironments)) {
    if (!isLeased(root, key)) await evict(cacheDir, key);
  }
}

/** Removes what builders that died have left behind. */
export async function sweepStaging(cacheDir: string): Promise<void> {
  const staging = stagingRoot(cacheDir);
  for (const name of namesIn(staging)) {
    const directory = join(staging, name);
    if (!name.endsWith('.owner') && !isOwned(`${directory}.owner`, timeOf(directory) ?? 0)) {
      await rm(directory, { recursive: true, force: true });
      rmSync(`${directory}.owner`, { force: true });
    }
  }
}

/** Makes a place to build in, marked with this process's identity. */
export function makeStaging(cacheDir: string, key: string): { directory: string; remove: () => Promise<void> } {
  const directory = join(stagingRoot(cacheDir), `${key}-${randomUUID()}`);
  mkdirSync(stagingRoot(cacheDir), { recursive: true });
  writeFileSync(`${directory}.owner`, JSON.stringify(ownIdentity()));
  mkdirSync(directory);
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    rmSync(`${directory}.owner`, { force: true });
  };
  return { directory, remove };
}

/** Directory of the byte-code of everything below an absolute path, inside the byte-code cache. */
export function byteCodeOf(cacheDir: string, path: string): string {
  return join(resolve(cacheDir), 'bytecode', path.replace(/^[A-Za-z]:/, ''));
}

async function evict(cacheDir: string, key: string): Promise<void> {
  const { root, directory } = placeOf(cacheDir, key);
  const away = join(root, '.trash', `${key}-${randomUUID()}`);
  mkdirSync(join(root, '.trash'), { recursive: true });
  try {
    renameSync(directory, away);
  } catch {
    // Another process evicts it as well.
    return;
  }
  if (isLeased(root, key)) {
    try {
      renameSync(away, directory);
      return;
    } catch {
      // Its user has made a new one meanwhile.
    }
  }
  await rm(away, { recursive: true, force: true });
  if (!existsSync(directory)) await rm(byteCodeOf(cacheDir, directory), { recursive: true, force: true });
}

function isLeased(root: string, key: string): boolean {
  const leases = join(root, '.leases', key);
  return namesIn(leases).some((name) => {
    const file = join(leases, name);
    if (isOwned(file, timeOf(file) ?? 0)) return true;
    rmSync(file, { force: true });
    return false;
  });
}

function isOwned(file: string, sinceMs: number): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return false;
  }
  const identity = parseIdentity(text);
  const life = identity === undefined ? 'unknown' : lifeOf(identity);
  return life === 'alive' || (life === 'unknown' && Date.now() - sinceMs < FOREIGN_MS);
}

function leaseName(owner: string): string {
  return `${process.pid}-${owner.replace(/[^\w-]/g, '_')}.json`;
}

function stagingRoot(cacheDir: string): string {
  return join(resolve(cacheDir), 'environments', '.staging');
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function timeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
