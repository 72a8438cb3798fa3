import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { countLivingProcesses, type LivingProcesses } from './held-connection.ts';
import { closeTestHosts, misbehave, root, temporaryDirectory, testHost as openTestHost } from './test-host.ts';
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

function neverAnswers(): string {
  return plugin({
    'plugin.toml': `[plugin]
name = "deaf"
version = "1"
language = "python"
[python]
entry_module = "deaf"
node_types = ["Deaf"]
`,
    'deaf.py': `from remotemedia.core.multiprocessing import MultiprocessNode, register_node
${HELD}
@register_node('Deaf')
class Deaf(MultiprocessNode):
    async def process(self, data):
        ${FOREVER}
        yield data
`,
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

describe('a node that does not answer', () => {
  it('plugin.call() on a node heeds timeoutMs', async () => {
    const loaded = await testHost().load(neverAnswers());
    await expect(within(3_000, loaded.with({ timeoutMs: 100 }).call('Deaf', 'hi'))).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
      operation: 'Deaf',
    });
  });

  it('plugin.call() on a node heeds its signal', async () => {
    const loaded = await testHost().load(neverAnswers());
    const reason = new Error('enough');
    const controller = new AbortController();
    const call = expect(loaded.with({ signal: controller.signal }).call('Deaf', 'hi')).rejects.toBe(reason);
    await living.some();
    controller.abort(reason);
    await within(1_000, call);
  });
});

describe('a node and its inputs', () => {
  const node = join(root, 'examples/01-run-a-pipeline/echo-python-source');

  it('plugin.stream() on a node takes one input as it takes a list of them', async () => {
    const echo = await testHost().load(node);
    const said = (text: string): unknown => ({ type: 'text', data: `echo: ${text}` });
    expect(await collected(echo.stream('EchoPythonNode', 'hi'))).toEqual([said('hi')]);
    expect(await collected(echo.stream('EchoPythonNode', ['a', 'b']))).toEqual([said('a'), said('b')]);
  });

  it('plugin.batch() on a node runs every item in an instance of its own', async () => {
    const echo = await testHost().load(node);
    const rows = await echo.batch('EchoPythonNode', ['a', { id: 'x', input: 'b' }]);
    expect(rows.map(({ id }) => id)).toEqual(['0', 'x']);
    expect(rows[1]).toMatchObject({ result: [{ type: 'text', data: 'echo: b' }] });
  });

  it('plugin.open() says when a plugin has no nodes', async () => {
    const loaded = await testHost().load(misbehave);
    await expect(loaded.open('echo')).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
      message: "Plugin 'misbehave' has no nodes",
    });
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
