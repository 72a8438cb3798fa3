import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { CallError, CharmerError, PluginError, type ExitReport, type Host, type HostOptions } from '../src/index.ts';
import { countLivingProcesses, holdConnection, type LivingProcesses } from './held-connection.ts';
import { closeTestHosts, misbehave, temporaryDirectory, testHost as openTestHost } from './test-host.ts';
import { within } from './within.ts';

async function failure(work: Promise<unknown>): Promise<CharmerError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CharmerError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function plugin(files: Readonly<Record<string, string>>): string {
  const directory = join(temporaryDirectory(), 'plugin');
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), name.endsWith('.py') ? `${ALIVE}${text}` : text);
  }
  return directory;
}

/** First lines of a module: the process is alive exactly as long as its connection to the test. */
const ALIVE = `import os, socket
alive = socket.create_connection(("127.0.0.1", int(os.environ["CHARMER_TEST_PORT"])))
`;

let living: LivingProcesses;
beforeAll(async () => {
  living = await countLivingProcesses();
});
afterAll(() => living.close());
// Every test below ends with its host closed and nothing of it left.
afterEach(async () => {
  await closeTestHosts();
  await within(2_000, living.none());
});

function testHost(options: HostOptions = {}): Host {
  return openTestHost({ ...options, env: { ...options.env, CHARMER_TEST_PORT: String(living.port) } });
}

const MANIFEST = `[package]
name = "p"
version = "1"
interface = "p"
interface_version = 1
runtime = "python"
[metadata]
[python]
entry_module = "entry"
`;

describe('host.load() with bad input', () => {
  it('host.load() says where it looked when no plugin is there', async () => {
    const error = await failure(testHost().load(join(temporaryDirectory(), 'nowhere')));
    expect(error).toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
    expect(error.message).toContain('nowhere');
    expect(error.hint).toBeDefined();
  });

  it('host.load() refuses a directory with two manifests', async () => {
    const directory = plugin({ 'package.toml': MANIFEST, 'manifest.yml': 'id: p' });
    expect(await failure(testHost().load(directory))).toMatchObject({ code: 'FORMAT_AMBIGUOUS' });
  });

  it('host.load() refuses a directory without a manifest and names those it knows', async () => {
    const error = await failure(testHost().load(plugin({ 'readme.txt': '' })));
    expect(error).toMatchObject({ code: 'FORMAT_UNKNOWN' });
    expect(error.message).toContain('package.toml');
  });

  it.each([
    ['TOML', 'package.toml', '[package\nname = 1'],
    ['TOML of another type', 'plugin.toml', '[plugin]\nname = 1\nversion = "1"\nlanguage = "python"'],
    ['YAML', 'manifest.yml', 'id: [1\nname: x'],
  ])('host.load() names file and line of broken %s', async (_, name, text) => {
    const error = await failure(testHost().load(plugin({ [name]: text })));
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(error.path).toContain(name);
    expect(error.line).toBeGreaterThan(0);
  });

  it('host.load() reports an import error with its traceback and the missing package', async () => {
    const error = await failure(
      testHost().load(plugin({ 'package.toml': MANIFEST, 'entry.py': 'import no_such_package\n' })),
    );
    expect(error).toMatchObject({ code: 'IMPORT_FAILED' });
    expect(`${error.message} ${error.traceback ?? ''}`).toContain('no_such_package');
  });

  it('host.load() refuses a wrong interface hash before any call', async () => {
    const directory = plugin({ 'package.toml': MANIFEST, 'entry.py': '__interface_hash__ = 1\ndef ping(): pass\n' });
    const methods = [{ name: 'ping', wireRaw: false, kind: 'unary', optional: false }];
    const error = await failure(
      testHost().load(directory, { interface: { name: 'p', hash: '0x0000000000000002', methods } }),
    );
    expect(error).toMatchObject({ code: 'INTERFACE_MISMATCH' });
  });

  it('host.load() reports a process that ends while it imports', async () => {
    const directory = plugin({
      'package.toml': MANIFEST,
      'entry.py': 'import os, sys\nprint("last words", file=sys.stderr, flush=True)\nos._exit(3)\n',
    });
    const error = await failure(testHost().load(directory));
    expect(error).toMatchObject({ code: 'EXITED_BEFORE_READY', exit: { code: 3 } });
    expect(error.stderrTail).toContain('last words');
  });

  it('host.load() gives up a plugin that does not get ready, with its stacks', async () => {
    const directory = plugin({
      'package.toml': MANIFEST,
      'entry.py': 'import time\ndef slow():\n    time.sleep(600)\nslow()\n',
    });
    const error = await failure(testHost().load(directory, { readyTimeoutMs: 500 }));
    expect(error).toMatchObject({ code: 'READY_TIMEOUT' });
    expect(error.stacks).toContain('slow');
  });

  it('host.load() names the nearest known option', async () => {
    await expect(testHost().load(misbehave, { confg: 1 } as never)).rejects.toThrow(`did you mean 'config'?`);
  });
});

describe('plugin.call() with a plugin that misbehaves', () => {
  it('plugin.call() names the nearest operation when there is none of that name', async () => {
    const loaded = await testHost().load(misbehave);
    expect(await failure(loaded.call('ecko', 1))).toMatchObject({
      code: 'OPERATION_UNKNOWN',
      hint: `Did you mean 'echo'?`,
    });
  });

  it('plugin.call() is not disturbed by prints on every descriptor, which become events', async () => {
    const host = testHost();
    const lines: string[] = [];
    const all = new Promise<void>((resolve) =>
      host.on('output', ({ stream, line }) => {
        lines.push(`${stream}: ${line}`);
        if (lines.length === 3) resolve();
      }),
    );
    const loaded = await host.load(misbehave);
    await expect(loaded.call('print_everywhere', 'hello')).resolves.toBe('printed');
    await all;
    expect(lines.sort()).toEqual(['stderr: hello', 'stdout: hello', 'stdout: hello']);
  });

  it('plugin.call() rejects with exit facts when the plugin exits in the middle, and the next call works', async () => {
    const loaded = await testHost().load(misbehave);
    const error = await failure(loaded.call('exit_now', 7));
    expect(error).toMatchObject({ code: 'PLUGIN_EXITED', exit: { code: 7, signal: null, by: 'itself' } });
    expect(error.exit?.peakMemoryBytes).toBeGreaterThan(1_000_000);
    await expect(loaded.call('echo', 'again')).resolves.toBe('again');
  });

  it('plugin.call() names the signal that killed the plugin', async () => {
    const loaded = await testHost().load(misbehave);
    const error = await failure(loaded.call('die', 11));
    expect(error).toMatchObject({ code: 'PLUGIN_EXITED', exit: { signal: 'SIGSEGV' } });
    expect(error.message).toContain('SIGSEGV');
  });

  it('plugin.call() reports sys.exit as an error and keeps the worker', async () => {
    const loaded = await testHost().load(misbehave);
    const before = await loaded.call('pid');
    expect(await failure(loaded.call('sys_exit', 3))).toMatchObject({
      code: 'PLUGIN_RAISED',
      pluginCode: 'SystemExit',
    });
    await expect(loaded.call('pid')).resolves.toBe(before);
  });

  it('plugin.call() tells where Python was at its deadline and frees the worker', async () => {
    const loaded = await testHost().load(misbehave);
    const before = await loaded.call('pid');
    const error = await failure(loaded.with({ timeoutMs: 300 }).call('hang', 600));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', operation: 'hang' });
    expect(error.stacks).toContain('hang');
    await expect(loaded.call('pid')).resolves.toBe(before);
  });

  it('plugin.call() kills a worker that does not let go after its deadline, and others are told why', async () => {
    const loaded = await testHost().load(misbehave);
    const held = await holdConnection();
    await loaded.call('hold', held.port);
    const stuck = failure(loaded.with({ timeoutMs: 200 }).call('hang_deaf', 600));
    const other = failure(loaded.call('echo', 1));
    expect(await within(1_000, stuck)).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect((await within(2_000, other)).message).toContain(`because 'hang_deaf' went on`);
    await within(2_000, held.gone);
    held.close();
  });

  it('plugin.call() rejects at once with the reason of an abort, untouched', async () => {
    const loaded = await testHost().load(misbehave);
    const controller = new AbortController();
    const reason = { mine: true };
    const call = loaded.with({ signal: controller.signal }).call('hang', 600);
    controller.abort(reason);
    await expect(within(500, call)).rejects.toBe(reason);
  });

  it("plugin.call() carries the plugin's own error code, message and details", async () => {
    const loaded = await testHost().load(misbehave);
    const error = await failure(loaded.call('fail', 'NO_QUOTA', 'come back tomorrow'));
    expect(error).toBeInstanceOf(PluginError);
    expect(error).toMatchObject({ pluginCode: 'NO_QUOTA', message: 'come back tomorrow' });
  });

  it('plugin.call() carries the traceback of an exception', async () => {
    const loaded = await testHost().load(misbehave);
    const error = await failure(loaded.call('raise_value_error', 'bad'));
    expect(error).toMatchObject({ pluginCode: 'ValueError', message: 'bad' });
    expect(error.traceback).toContain('misbehave.py');
  });

  it('plugin.call() names the path of a value that cannot cross', async () => {
    const loaded = await testHost().load(misbehave);
    const error = await failure(loaded.call('give_unsendable'));
    expect(error).toMatchObject({ code: 'RESULT_INVALID' });
    expect(error.message).toContain('items[2].when');
    expect(error.hint).toContain('Return JSON values');
    const argument = await failure(loaded.call('echo', { at: new Date(0) }));
    expect(argument).toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(argument.hint).toContain('Pass JSON values');
  });

  it('plugin.call() survives a flood on standard error', async () => {
    const loaded = await testHost().load(misbehave);
    await expect(loaded.call('flood_stderr', 8)).resolves.toBe('flooded');
  });

  it('plugin.call() hands over no variable that was not granted', async () => {
    process.env['CHARMER_TEST_SECRET'] = 'do not tell';
    const loaded = await testHost({ env: { GRANTED: 'yes' } }).load(misbehave);
    const environment = (await loaded.call('environment')) as Record<string, string>;
    delete process.env['CHARMER_TEST_SECRET'];
    expect(environment).toMatchObject({ GRANTED: 'yes' });
    expect(JSON.stringify(environment)).not.toContain('do not tell');
  });

  it('plugin.call() opens the breaker after three crashes within a minute', async () => {
    const loaded = await testHost().load(misbehave);
    for (let crash = 0; crash < 3; crash += 1) await failure(loaded.call('exit_now', 1));
    expect(await failure(loaded.call('echo', 1))).toMatchObject({ code: 'BREAKER_OPEN' });
    expect(loaded.state).toBe('refused');
  });
});

describe('plugin.close() and host.close()', () => {
  it('host.close() leaves no process behind, not even a grandchild in a session of its own', async () => {
    const host = testHost();
    const [child, grandchild] = [await holdConnection(), await holdConnection()];
    const loaded = await host.load(misbehave);
    await loaded.call('hold', child.port);
    await loaded.call('hold_in_grandchild', grandchild.port);
    await grandchild.connected;
    await host.close();
    await within(2_000, Promise.all([child.gone, grandchild.gone]));
    child.close();
    grandchild.close();
  });

  it('plugin.close() settles calls under way and is idempotent', async () => {
    const loaded = await testHost().load(misbehave);
    const pending = failure(loaded.call('hang', 600));
    const [first, second] = await within(2_000, Promise.all([loaded.close(), loaded.close()]));
    expect(second).toBe(first);
    expect((first as ExitReport).durationMs).toBeGreaterThan(0);
    expect(await pending).toBeInstanceOf(CallError);
    expect(await failure(loaded.call('echo', 1))).toMatchObject({ code: 'HOST_CLOSED' });
  });

  it('host.load() after host.close() is HOST_CLOSED', async () => {
    const host = testHost();
    await host.close();
    expect(await failure(host.load(misbehave))).toMatchObject({ code: 'HOST_CLOSED' });
  });
});

describe('plugin.reload()', () => {
  it('plugin.reload() runs the new code in a new process, and refuses a lost operation', async () => {
    const directory = join(temporaryDirectory(), 'copy');
    cpSync(misbehave, directory, { recursive: true });
    const source = (body: string): void => writeFileSync(join(directory, 'misbehave.py'), body);
    source('def answer():\n    return 1\ndef other():\n    return 0\n');
    const loaded = await testHost().load(directory);
    await expect(loaded.call('answer')).resolves.toBe(1);
    const before = loaded.pid;
    source('def answer():\n    return "two"\ndef other():\n    return 0\n');
    await loaded.reload();
    await expect(loaded.call('answer')).resolves.toBe('two');
    expect(loaded.pid).not.toBe(before);
    source('def other():\n    return 0\n');
    const error = await failure(loaded.reload());
    expect(error).toMatchObject({ code: 'RELOAD_REFUSED' });
    await expect(loaded.call('answer')).resolves.toBe('two');
  });
});

describe('plugin.stream()', () => {
  it('plugin.stream() serves calls between its items, however long it is', async () => {
    const loaded = await testHost().load(misbehave);
    let expected = 0;
    for await (const item of loaded.stream('count', 100_000)) {
      if (item !== expected || (await loaded.call('echo', item)) !== expected) throw new Error(`lost at ${expected}`);
      expected += 1;
    }
    expect(expected).toBe(100_000);
  }, 120_000);

  it('plugin.stream() stops the generator when its consumer leaves', async () => {
    const loaded = await testHost().load(misbehave);
    for await (const item of loaded.stream('count', 1_000_000_000)) if (item === 3) break;
    await expect(loaded.call('echo', 'free')).resolves.toBe('free');
  });

  it('plugin.call() and plugin.stream() take an async iterable as a client stream', async () => {
    const loaded = await testHost().load(misbehave);
    async function* numbers(): AsyncGenerator<number> {
      for (let n = 1; n <= 100; n += 1) yield n;
    }
    await expect(loaded.call('total', numbers())).resolves.toBe(5050);
    const doubled: unknown[] = [];
    for await (const item of loaded.stream('double', numbers())) doubled.push(item);
    expect(doubled.at(-1)).toBe(200);
  });
});
