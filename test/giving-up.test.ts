import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { countLivingProcesses, type LivingProcesses } from './held-connection.ts';
import { closeTestHosts, temporaryDirectory, testHost as openTestHost } from './test-host.ts';
import { within } from './within.ts';
import type { Host } from '../src/index.ts';

/** Longer than any test: what waits for it was given up, or the test fails. */
const FOREVER = 'time.sleep(600)';

let living: LivingProcesses;
beforeAll(async () => {
  living = await countLivingProcesses();
});
afterAll(() => living.close());
// Every test ends with its host closed and nothing of it left, also where a start was under way.
afterEach(async () => {
  await within(3_000, closeTestHosts());
  await within(2_000, living.none());
});

function testHost(): Host {
  return openTestHost({ env: { CHARMER_TEST_PORT: String(living.port) } });
}

function plugin(files: Readonly<Record<string, string>>): string {
  const directory = join(temporaryDirectory(), 'plugin');
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const HELD = `import os, socket, time
alive = socket.create_connection(("127.0.0.1", int(os.environ["CHARMER_TEST_PORT"])))
`;

function neverReady(): string {
  return plugin({
    'package.toml': `[package]
name = "p"
version = "1"
interface = "p"
interface_version = 1
runtime = "python"
[metadata]
[python]
entry_module = "entry"
`,
    'entry.py': `${HELD}${FOREVER}\n`,
  });
}

describe('a plugin that does not become ready', () => {
  it('host.load() is given up by its signal, and the process with it', async () => {
    const reason = new Error('enough');
    const loading = testHost().load(neverReady(), { signal: abortedAfterConnection(reason) });
    await expect(within(3_000, loading)).rejects.toBe(reason);
  });

  it('plugin.call() counts the start into timeoutMs', async () => {
    const lazy = await testHost().load(neverReady(), { start: 'lazy' });
    const call = lazy.with({ timeoutMs: 100 }).call('ping');
    await expect(within(2_000, call)).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
      operation: 'ping',
      hint: 'The plugin was still starting: load it before, or raise timeoutMs.',
    });
  });

  it('plugin.stream() is given up by its signal while the plugin starts', async () => {
    const lazy = await testHost().load(neverReady(), { start: 'lazy' });
    const reason = new Error('enough');
    const items = lazy.with({ signal: abortedAfterConnection(reason) }).stream('ping');
    await expect(within(2_000, collected(items))).rejects.toBe(reason);
  });

  it('plugin.close() outranks the start, whose callers are told', async () => {
    const lazy = await testHost().load(neverReady(), { start: 'lazy' });
    const call = lazy.call('ping');
    const refused = expect(call).rejects.toMatchObject({ code: 'HOST_CLOSED' });
    await living.some();
    await within(3_000, lazy.close());
    await refused;
  });
});

async function collected(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A signal that aborts when a plugin's process is there. */
function abortedAfterConnection(reason: Error): AbortSignal {
  const controller = new AbortController();
  void living.some().then(() => controller.abort(reason));
  return controller.signal;
}
