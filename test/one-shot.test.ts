import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { CallReport, Plugin } from '../src/index.ts';
import { holdConnection } from './held-connection.ts';
import { root, temporaryDirectory, testHost } from './test-host.ts';
import { within } from './within.ts';

const fixtures = join(root, 'fixtures/conformance/obscura/plugins');

/** A plugin whose script is `body`: `given` is its input, and what it leaves in `answer` is its result. */
function script(body: string, manifest = ''): string {
  const directory = join(temporaryDirectory(), 'plugin');
  mkdirSync(directory);
  const head = 'id: p\nname: P\nversion: 1.0.0\nruntime: python\nscript: [python, main.py]\n';
  writeFileSync(join(directory, 'manifest.yml'), `${head}capabilities: {videoByName: true}\n${manifest}`);
  const read = 'import json, os, socket, sys, time\ngiven = json.load(sys.stdin).get("input")\nanswer = None\n';
  writeFileSync(join(directory, 'main.py'), `${read}${body}\nprint(json.dumps({"ok": True, "result": answer}))\n`);
  return directory;
}

/** Calls once so that the fork server is there, then gives the plugin and the reports of its calls. */
async function warm(directory: string, input: object = {}): Promise<{ plugin: Plugin; reports: CallReport[] }> {
  const reports: CallReport[] = [];
  const loaded = await testHost().load(directory);
  const plugin = loaded.with({ onReport: (report) => reports.push(report) });
  for (let turn = 0; turn < 20 && reports.at(-1)?.launcher !== 'fork'; turn += 1)
    await plugin.call('videoByName', input);
  return { plugin, reports };
}

describe('plugin.call() in a fresh process', () => {
  it('plugin.call() goes on in a copy of a running interpreter, and says so', async () => {
    const { reports } = await warm(script('answer = 1'));
    expect(reports[0]).toMatchObject({ launcher: 'exec', launcherReason: 'the fork server is starting' });
    expect(reports.at(-1)).toMatchObject({ launcher: 'fork', exit: { code: 0 } });
  });

  it('plugin.call() always starts the command under launch exec', async () => {
    const reports: CallReport[] = [];
    const plugin = await testHost({ launch: 'exec' }).load(script('answer = 1'));
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(plugin.with({ onReport: (report) => reports.push(report) }).call('videoByName', {})).resolves.toBe(
        1,
      );
    }
    expect(reports.map(({ launcher }) => launcher)).toEqual(['exec', 'exec', 'exec']);
  });

  it('plugin.call() runs an edited script and an edited manifest at once (O1)', async () => {
    const directory = script('answer = "old"');
    const { plugin } = await warm(directory);
    writeFileSync(join(directory, 'main.py'), 'print(\'{"ok": true, "result": "new"}\')\n');
    await expect(plugin.call('videoByName', {})).resolves.toBe('new');
    writeFileSync(join(directory, 'other.py'), 'print(\'{"ok": true, "result": "other"}\')\n');
    const head = 'id: p\nname: P\nversion: 1.0.0\nruntime: python\ncapabilities: {}\n';
    writeFileSync(join(directory, 'manifest.yml'), `${head}script: [python, other.py]\n`);
    await expect(plugin.call('videoByName', {})).resolves.toBe('other');
  });

  it('plugin.call() goes on when the fork server is killed', async () => {
    const { plugin } = await warm(
      script('os.kill(os.getppid(), 9) if given.get("kill") else None\nanswer = os.getpid()'),
    );
    await plugin.call('videoByName', { kill: true }).catch(() => undefined);
    for (let turn = 0; turn < 3; turn += 1) await expect(plugin.call('videoByName', {})).resolves.toBeGreaterThan(1);
  });

  it.each([
    [
      'closes its own descriptors',
      'sys.stdout.write(json.dumps({"ok": True, "result": "done"}))\nsys.stdout.flush()\nos.closerange(0, 64)\nos._exit(0)',
      'done',
    ],
    ['changes directory and umask', 'os.chdir("/")\nos.umask(0o777)\nanswer = "done"', 'done'],
    [
      'writes to descriptors 3 to 9',
      'for fd in range(3, 10):\n    try:\n        os.write(fd, b"x" * 100)\n    except OSError:\n        pass\nanswer = "done"',
      'done',
    ],
    [
      'forks ten children that fork',
      'for _ in range(10):\n    if os.fork() == 0:\n        os.fork()\n        time.sleep(600)\nanswer = "done"',
      'done',
    ],
  ])('plugin.call() is not disturbed by a script that %s, nor is the next call', async (_, body, expected) => {
    const { plugin } = await warm(script(`if given.get("misbehave"):\n    ${body.replaceAll('\n', '\n    ')}`));
    await expect(within(5_000, plugin.call('videoByName', { misbehave: true }))).resolves.toBe(expected);
    await expect(plugin.call('videoByName', {})).resolves.toBeNull();
  });

  it.each([9, 11])(
    'plugin.call() names signal %i with which a script ends itself, and the next call works (W10)',
    async (signal) => {
      const { plugin } = await warm(
        script('if given.get("signal"):\n    os.kill(os.getpid(), given["signal"])\n    time.sleep(60)'),
      );
      const name = signal === 9 ? 'SIGKILL' : 'SIGSEGV';
      await expect(plugin.call('videoByName', { signal })).rejects.toMatchObject({
        code: 'PLUGIN_EXITED',
        exit: { signal: name },
      });
      await expect(plugin.call('videoByName', {})).resolves.toBeNull();
    },
  );

  it('plugin.call() leaves no grandchild behind, double-forked and deaf to SIGTERM (W4, W5)', async () => {
    const body = `
if "port" in given:
    import signal
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            held = socket.create_connection(("127.0.0.1", given["port"]))
            time.sleep(600)
        os._exit(0)
    os.wait()
answer = "done"`;
    const { plugin } = await warm(script(body));
    const held = await holdConnection();
    await expect(within(2_000, plugin.call('videoByName', { port: held.port }))).resolves.toBe('done');
    await within(2_000, Promise.race([held.gone, held.connected.then(() => held.gone)]));
    held.close();
  });

  it('plugin.call() ends its whole group when the caller aborts, and rejects with the reason (W34)', async () => {
    const { plugin } = await warm(
      script(
        'if "port" in given:\n    held = socket.create_connection(("127.0.0.1", given["port"]))\n    time.sleep(600)',
      ),
    );
    const held = await holdConnection();
    const controller = new AbortController();
    const call = plugin.with({ signal: controller.signal }).call('videoByName', { port: held.port });
    const rejected = expect(call).rejects.toBe('enough');
    await held.connected;
    controller.abort('enough');
    await within(2_000, rejected);
    await within(2_000, held.gone);
    held.close();
  });
});

describe('plugin.call() many times at once', () => {
  it('200 concurrent calls stay within the caps of the host and of the plugin (W35)', async () => {
    const plugin = await testHost({ maxProcesses: 6 }).load(join(fixtures, 'peak'), { maxProcesses: 4 });
    const dir = join(temporaryDirectory(), 'alive');
    mkdirSync(dir);
    const calls = Array.from({ length: 200 }, () => plugin.call('videoByName', { dir, seconds: 0.01 }));
    const seen = (await Promise.all(calls)).map((value) => (value as { seen: number }).seen);
    expect(Math.max(...seen)).toBeLessThanOrEqual(4);
    expect(readdirSync(dir)).toEqual([]);
  }, 120_000);

  it('a slow plugin does not starve another one', async () => {
    const host = testHost({ maxProcesses: 4 });
    const held = await holdConnection();
    const slow = await host.load(
      script('held = socket.create_connection(("127.0.0.1", given["port"]))\ntime.sleep(600)'),
      { maxProcesses: 2 },
    );
    const quick = await host.load(script('answer = "quick"'));
    const stuck = Array.from({ length: 10 }, () =>
      slow.call('videoByName', { port: held.port }).catch(() => undefined),
    );
    await held.connected;
    await expect(within(3_000, quick.call('videoByName', {}))).resolves.toBe('quick');
    await host.close();
    await within(3_000, Promise.all(stuck));
    held.close();
  });
});

describe('plugin.batch() of a one-shot plugin', () => {
  it('plugin.batch() keeps finished chunks when one crashes, and isolates its items when asked (W15)', async () => {
    const plugin = await testHost().load(join(fixtures, 'batch-crash-on'));
    const items = ['One', 'poison', 'Three', 'Four'].map((title, index) => ({
      id: String(index + 1),
      input: { title },
    }));
    const rows = await plugin.with({ chunkSize: 2 }).batch('videoByName', items);
    expect(rows.map(({ id, result, error }) => [id, result, error !== undefined])).toEqual([
      ['1', undefined, true],
      ['2', undefined, true],
      ['3', 'Three', false],
      ['4', 'Four', false],
    ]);
    const isolated = await plugin.with({ chunkSize: 2, isolate: true }).batch('videoByName', items);
    expect(isolated.map(({ id, error }) => [id, error !== undefined])).toEqual([
      ['1', false],
      ['2', true],
      ['3', false],
      ['4', false],
    ]);
  });

  it('plugin.batch() runs at most three processes at once where the plugin takes no batches (O26, O27)', async () => {
    const directory = join(temporaryDirectory(), 'peak');
    cpSync(join(fixtures, 'peak'), directory, { recursive: true });
    const plugin = await testHost().load(directory);
    const dir = join(temporaryDirectory(), 'alive');
    mkdirSync(dir);
    const rows = await plugin.batch(
      'videoByName',
      Array.from({ length: 12 }, () => ({ dir, seconds: 0.05 })),
    );
    expect(Math.max(...rows.map(({ result }) => (result as { seen: number }).seen))).toBeLessThanOrEqual(3);
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, index) => String(index)));
  });
});
