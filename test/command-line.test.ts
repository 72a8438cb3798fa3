import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { charmer } from './command-line.ts';
import { misbehave, root, temporaryDirectory } from './test-host.ts';

const greeter = join(root, 'examples/02-call-a-method/my-greeter');
const echo = join(root, 'examples/01-run-a-pipeline/echo-python-source/manifest.json');

describe('charmer', () => {
  it('charmer demo runs one plugin of each format and says what happened', async () => {
    const { code, stdout, stderr } = await charmer(['demo']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('echo: hi');
    expect(stdout).toContain('"Hello, World!"');
    expect(stdout).toContain('EMPTY_INPUT');
    expect(stdout).toContain('"title":"Blade Runner"');
    expect(stdout).toContain('TMDB_API_KEY is not set');
    expect(stdout).toMatch(/pid \d+/);
  });

  it('charmer call prints the result as JSON and exits 0', async () => {
    expect(await charmer(['call', greeter, 'greet', 'World'])).toEqual({
      code: 0,
      stdout: '"Hello, World!"\n',
      stderr: '',
    });
  });

  it('charmer call finds a plugin by name on the search path', async () => {
    const { code, stdout } = await charmer([
      'call',
      'my-greeter',
      'greet',
      'you',
      '--search-path',
      join(greeter, '..'),
    ]);
    expect([code, stdout]).toEqual([0, '"Hello, you!"\n']);
  });

  it("charmer call exits 1 with the plugin's own code when the plugin says no", async () => {
    const { code, stdout, stderr } = await charmer(['call', greeter, 'greet', '']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('EMPTY_INPUT: name must not be empty');
  });

  it('charmer call exits 2 for an unknown operation and names the nearest', async () => {
    const { code, stderr } = await charmer(['call', greeter, 'gret', 'World']);
    expect(code).toBe(2);
    expect(stderr).toContain(`Did you mean 'greet'?`);
  });

  it('charmer exits 2 for an unknown command or option', async () => {
    expect(await charmer(['cal'])).toMatchObject({ code: 2, stderr: expect.stringContaining(`Did you mean 'call'?`) });
    expect(await charmer(['call', greeter, 'greet', '--nope'])).toMatchObject({ code: 2 });
  });

  it('charmer call exits 4 when nothing is there, and says so as JSON when asked', async () => {
    const { code, stderr } = await charmer(['call', './nowhere', 'greet', '--json']);
    expect(code).toBe(4);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'PLUGIN_NOT_FOUND' } });
  });

  it('charmer call exits 5 when the plugin dies and 6 when it is too late', async () => {
    expect(await charmer(['call', misbehave, 'exit_now', '3'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('exited with code 3'),
    });
    expect(await charmer(['call', misbehave, 'hang', '600', '--timeout', '300'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('hang'),
    });
  });

  it('charmer call reads its argument from standard input and reports what the call cost', async () => {
    const { code, stdout, stderr } = await charmer(['call', misbehave, 'echo', '--input', '-', '--report'], {
      stdin: '{"a":[1,2]}',
    });
    expect([code, stdout]).toEqual([0, '{"a":[1,2]}\n']);
    expect(JSON.parse(stderr)).toMatchObject({ operation: 'echo', plugin: 'misbehave' });
  });

  it('charmer stream prints one item per line', async () => {
    expect(await charmer(['stream', misbehave, 'count', '3'])).toEqual({ code: 0, stdout: '0\n1\n2\n', stderr: '' });
  });

  it('charmer batch prints one row per item', async () => {
    const file = join(temporaryDirectory(), 'items.ndjson');
    writeFileSync(file, '{"id":"a","input":"A"}\n{"id":"b","input":""}\n');
    const { code, stdout } = await charmer(['batch', greeter, 'greet', file]);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    expect(rows.sort((x, y) => x.id.localeCompare(y.id))).toMatchObject([
      { id: 'a', result: 'Hello, A!' },
      { id: 'b', error: { pluginCode: 'EMPTY_INPUT' } },
    ]);
    expect(code).toBe(1);
  });

  it('charmer batch --resume leaves out items that have a result and tries failed ones again', async () => {
    const directory = temporaryDirectory();
    const [items, kept] = [join(directory, 'items.ndjson'), join(directory, 'rows.ndjson')];
    writeFileSync(items, '{"id":"a","input":"A"}\n{"id":"b","input":""}\n');
    expect((await charmer(['batch', greeter, 'greet', items, '--resume', kept])).code).toBe(1);
    writeFileSync(items, '{"id":"a","input":"A"}\n{"id":"b","input":"B"}\n');
    const { code, stdout } = await charmer(['batch', greeter, 'greet', items, '--resume', kept]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { id: 'b', result: 'Hello, B!' }]);
    expect(readFileSync(kept, 'utf8').trim().split('\n')).toHaveLength(3);
  });

  it('charmer run feeds a pipeline from options or standard input', async () => {
    const fromOption = await charmer(['run', echo, '--input', '{"type":"text","data":"hi"}']);
    expect(JSON.parse(fromOption.stdout)).toMatchObject({
      node: 'echo',
      turn: 1,
      data: { type: 'text', data: 'echo: hi' },
    });
    const fromStdin = await charmer(['run', echo], { stdin: '"one"\n"two"\n' });
    expect(
      fromStdin.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { data: { data: string } }).data.data),
    ).toEqual(['echo: one', 'echo: two']);
    expect(fromStdin.code).toBe(0);
  });

  it('charmer run answers what came before an input that is no JSON, then exits 2', async () => {
    const { code, stdout, stderr } = await charmer(['run', echo, '--input', '"hi"', '--input', '{bad']);
    expect([code, JSON.parse(stdout)]).toEqual([2, expect.objectContaining({ turn: 1 })]);
    expect(stderr).toMatch(/^error: --input is not JSON/);
  });

  it('charmer run is interrupted by Ctrl-C while it waits for input', async () => {
    expect(await charmer(['run', echo], { stdin: '"one"\n', interruptAtOutput: true })).toMatchObject({
      code: 130,
      stderr: '',
    });
  });

  it('charmer list shows broken plugins with their reason', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'broken'));
    writeFileSync(join(directory, 'broken/package.toml'), '[package');
    const { code, stdout } = await charmer(['list', directory, join(greeter, '..'), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { status: 'broken', error: { code: 'MANIFEST_INVALID' } },
      { status: 'ok', id: 'my-greeter', format: 'fidius' },
    ]);
  });

  it('charmer inspect tells what a plugin is and offers', async () => {
    const { stdout } = await charmer(['inspect', greeter]);
    expect(stdout).toContain('my-greeter');
    expect(stdout).toContain('greet(');
    const { stdout: json } = await charmer(['inspect', greeter, '--json']);
    expect(JSON.parse(json)).toMatchObject({
      spec: { id: 'my-greeter' },
      operations: [{ name: 'greet', kind: 'unary' }],
    });
  });

  it('charmer check gives file and line for every finding and exits 4 for errors', async () => {
    expect(await charmer(['check', greeter])).toMatchObject({ code: 0, stdout: 'no findings\n' });
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'package.toml'), '[package]\nname = 1\n');
    const { code, stdout } = await charmer(['check', directory]);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^package\.toml:\d+/);
  });
});
