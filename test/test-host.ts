import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach } from 'vitest';

import { createHost, type Host, type HostOptions } from '../src/index.ts';

/** Absolute path of the repository. */
export const root: string = fileURLToPath(new URL('..', import.meta.url));
/** The plugin with one operation per misdeed. */
export const misbehave: string = join(root, 'fixtures/plugins/misbehave');

const hosts: Host[] = [];
const directories: string[] = [];
let cacheDir: string | undefined;

/** A host that is closed after the test, with a cache of its own for the whole file. */
export function testHost(options: HostOptions = {}): Host {
  cacheDir ??= temporaryDirectory();
  const host = createHost({ cacheDir, ...options });
  hosts.push(host);
  return host;
}

/** A directory that is removed after the file's tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'charmer-test-'));
  directories.push(directory);
  return directory;
}

/** Closes the hosts that were opened since the last time. */
export async function closeTestHosts(): Promise<void> {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
}

afterEach(closeTestHosts);

afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});
