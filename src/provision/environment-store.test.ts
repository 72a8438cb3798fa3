import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  byteCodeOf,
  evictEnvironments,
  leaseEnvironment,
  makeStaging,
  METADATA_FILE,
  placeOf,
  pythonOf,
  releaseEnvironments,
  sweepStaging,
} from './environment-store.ts';
import { ownIdentity } from './process-identity.ts';

let cacheDir: string;

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'charmer-environments-'));
});

afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

/** A complete environment, last used in a year. */
function environment(key: string, year: number): string {
  const { directory } = placeOf(cacheDir, key);
  mkdirSync(join(pythonOf(directory), '..'), { recursive: true });
  writeFileSync(pythonOf(directory), '');
  writeFileSync(join(directory, METADATA_FILE), '{}');
  utimesSync(join(directory, METADATA_FILE), new Date(`${year}-01-01`), new Date(`${year}-01-01`));
  return directory;
}

function keys(): string[] {
  return readdirSync(placeOf(cacheDir, '').root).filter((name) => !name.startsWith('.'));
}

describe('leaseEnvironment()', () => {
  it('leaseEnvironment() says whether there is a complete environment and renews its time', () => {
    expect(leaseEnvironment(cacheDir, 'a', 'test')).toBe(false);
    const directory = environment('a', 2001);
    expect(leaseEnvironment(cacheDir, 'a', 'test')).toBe(true);
    expect(statSync(join(directory, METADATA_FILE)).mtime.getFullYear()).toBeGreaterThan(2001);
    rmSync(pythonOf(directory));
    expect(leaseEnvironment(cacheDir, 'a', 'test')).toBe(false);
  });
});

describe('evictEnvironments()', () => {
  it('evictEnvironments() keeps the most recently used and their byte-code', async () => {
    for (let index = 0; index < 10; index += 1) environment(`e${index}`, 2001 + index);
    const [gone, kept] = ['e0', 'e5'].map((key) => byteCodeOf(cacheDir, placeOf(cacheDir, key).directory));
    for (const directory of [gone ?? '', kept ?? '']) mkdirSync(directory, { recursive: true });
    await evictEnvironments(cacheDir);
    expect(keys()).toEqual(['e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9']);
    expect([gone, kept].map((directory) => existsSync(directory ?? ''))).toEqual([false, true]);
  });

  it('evictEnvironments() never takes what is in use, until it is given back (R56)', async () => {
    environment('used', 2001);
    leaseEnvironment(cacheDir, 'used', 'one host');
    leaseEnvironment(cacheDir, 'used', 'another');
    utimesSync(
      join(placeOf(cacheDir, 'used').directory, METADATA_FILE),
      new Date('2001-01-01'),
      new Date('2001-01-01'),
    );
    environment('newer', 2002);
    await evictEnvironments(cacheDir, 1);
    expect(keys()).toEqual(['newer', 'used']);
    releaseEnvironments(cacheDir, 'one host');
    await evictEnvironments(cacheDir, 1);
    expect(keys()).toEqual(['newer', 'used']);
    releaseEnvironments(cacheDir, 'another');
    await evictEnvironments(cacheDir, 1);
    expect(keys()).toEqual(['newer']);
  });

  it('evictEnvironments() does not believe the lease of a process that is gone', async () => {
    environment('used', 2001);
    environment('newer', 2002);
    const leases = join(placeOf(cacheDir, '').root, '.leases', 'used');
    mkdirSync(leases, { recursive: true });
    writeFileSync(join(leases, '1-process.json'), JSON.stringify({ ...ownIdentity(), start: '1' }));
    await evictEnvironments(cacheDir, 1);
    expect(keys()).toEqual(['newer']);
    expect(readdirSync(leases)).toEqual([]);
  });
});

describe('sweepStaging()', () => {
  it('sweepStaging() removes what dead builders left and nothing else', async () => {
    const mine = makeStaging(cacheDir, 'key');
    const left = makeStaging(cacheDir, 'key');
    writeFileSync(`${left.directory}.owner`, JSON.stringify({ ...ownIdentity(), start: '1' }));
    await sweepStaging(cacheDir);
    expect([mine.directory, left.directory].map((directory) => existsSync(directory))).toEqual([true, false]);
    await mine.remove();
    expect(readdirSync(join(mine.directory, '..'))).toEqual([]);
  });
});
