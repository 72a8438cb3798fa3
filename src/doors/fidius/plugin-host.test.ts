import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { InterfaceDescriptor } from '../fidius.ts';
import { PluginHost } from './plugin-host.ts';

const HASH = '0x00000000deadbeef';

describe('PluginHost', () => {
  const rooms: { directory: string; host: PluginHost }[] = [];

  afterEach(async () => {
    for (const { directory, host } of rooms.splice(0)) {
      await host.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  function room(packages: Readonly<Record<string, string>>): PluginHost {
    const directory = mkdtempSync(join(tmpdir(), 'charmer-fidius-door-'));
    for (const [name, source] of Object.entries(packages)) {
      write(join(directory, name, 'package.toml'), manifest(name));
      write(join(directory, name, 'entry.py'), `__interface_hash__ = ${HASH}\n${source}`);
    }
    const host = PluginHost.builder().searchPath(directory).build();
    rooms.push({ directory, host });
    return host;
  }

  it('PluginHost calls by index and by name, typed JSON and raw (F29)', async () => {
    const host = room({ one: 'def twice(n): return n * 2\ndef flip(data): return data[::-1]' });
    const handle = await host.loadPython('one', descriptor('twice', { name: 'flip', wireRaw: true }));
    expect(await handle.callMethod('twice', 4)).toBe(8);
    expect(Buffer.from(await handle.callTypedJson(0, '[1.0]')).toString()).toBe('2.0');
    expect([...(await handle.callRaw(1, new Uint8Array([1, 2])))]).toEqual([2, 1]);
    await expect(handle.callRaw(0, new Uint8Array())).rejects.toMatchObject({ kind: 'WireModeMismatch' });
    await expect(handle.callMethod(9)).rejects.toMatchObject({ kind: 'InvalidMethodIndex' });
  });

  it('PluginHost keeps plugins apart: equal module names, a crash, a way out (FW16, FW22)', async () => {
    const host = room({
      first: "def who(): return 'first'\ndef leave():\n    import os\n    os._exit(3)",
      second: "def who(): return 'second'\ndef leave(): return 'stays'",
    });
    const [first, second] = await Promise.all(
      ['first', 'second'].map((name) => host.loadPython(name, descriptor('who', 'leave'))),
    );
    expect([await first?.callMethod('who'), await second?.callMethod('who')]).toEqual(['first', 'second']);
    await expect(first?.callMethod('leave')).rejects.toMatchObject({ kind: 'Backend', code: 'PLUGIN_EXITED' });
    expect(await second?.callMethod('who')).toBe('second');
    expect(await first?.callMethod('who')).toBe('first');
  });

  it('PluginHost awaits async methods and streams async generators (FW24)', async () => {
    const host = room({
      one: 'import asyncio\nasync def later(n):\n    await asyncio.sleep(0)\n    return n\nasync def many(n):\n    for i in range(n): yield i',
    });
    const handle = await host.loadPython('one', descriptor('later', { name: 'many', kind: 'server-stream' }));
    expect(await handle.callMethod('later', 5)).toBe(5);
    const items: unknown[] = [];
    for await (const item of handle.callStreaming('many', 3)) items.push(item);
    expect(items).toEqual([0, 1, 2]);
  });

  it('PluginHost tolerates an absent optional method and shows that it is absent (FW23)', async () => {
    const host = room({ one: 'def must(): return 1' });
    const handle = await host.loadPython('one', descriptor('must', { name: 'may', optional: true }));
    expect(handle.plugin.operations?.map(({ name, isAvailable }) => [name, isAvailable !== false])).toEqual([
      ['must', true],
      ['may', false],
    ]);
  });

  it('PluginHost accepts the hash of the stub tool (FW1)', async () => {
    const host = room({ one: 'def go(): return 1' });
    const expected = { ...descriptor('go'), hash: '0x1', hashB: HASH };
    expect(await (await host.loadPython('one', expected)).callMethod('go')).toBe(1);
  });

  it('PluginHost keeps the structure of a failed import and a failed configuration (F22, F34, FW25)', async () => {
    const host = room({
      broken: 'from fidius import PluginError\nraise PluginError("NO_KEY", "no key", {"need": "API_KEY"})',
      picky: 'def __fidius_configure__(config): raise ValueError("bad " + config["name"])',
    });
    await expect(host.loadPython('broken', descriptor())).rejects.toMatchObject({
      kind: 'PythonLoad',
      message: "python load failed: entry module 'entry' import failed: PluginError: no key",
      cause: {
        code: 'IMPORT_FAILED',
        details: {
          kind: 'ImportFailed',
          pluginError: { code: 'NO_KEY', message: 'no key', details: { need: 'API_KEY' } },
        },
      },
    });
    await expect(host.loadPythonConfigured('picky', descriptor(), { name: 'x' })).rejects.toMatchObject({
      kind: 'PythonLoad',
      cause: { code: 'IMPORT_FAILED', details: { kind: 'ConfigureFailed', reason: 'bad x' } },
    });
  });

  it('PluginHost converts integers to floats where the descriptor says f64', async () => {
    const host = room({
      one: 'def kinds(a, b, c): return [type(a).__name__, type(b[0]).__name__, type(c["x"]).__name__]',
    });
    const args = [
      { name: 'a', type: 'f64' },
      { name: 'b', type: { vec: 'f32' } },
      { name: 'c', type: { named: 'Point' } },
    ];
    const expected: InterfaceDescriptor = {
      ...descriptor({ name: 'kinds', args }),
      types: { Point: { struct: { x: 'f64' } } },
    };
    const handle = await host.loadPython('one', expected);
    expect(await handle.callMethod('kinds', 1, [2], { x: 3 })).toEqual(['float', 'float', 'float']);
  });
});

function descriptor(...methods: readonly (string | InterfaceDescriptor['methods'][number])[]): InterfaceDescriptor {
  const list = methods.map((method) => (typeof method === 'string' ? { name: method } : method));
  return { name: 'Probe', hash: HASH, methods: list };
}

function manifest(name: string): string {
  return `[package]\nname = "${name}"\nversion = "1"\ninterface = "Probe"\ninterface_version = 1\nruntime = "python"\n[metadata]\n[python]\nentry_module = "entry"\n`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
