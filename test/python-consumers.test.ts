import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { charmer } from './command-line.ts';
import { holdConnection } from './held-connection.ts';
import { consumers, pythons, pythonWith, runPython, scenario, startPython } from './python-consumer.ts';
import { root, temporaryDirectory } from './test-host.ts';
import { within } from './within.ts';

const echo = join(root, 'examples/01-run-a-pipeline/echo-python-source');

describe('remotemedia.runtime', () => {
  it.each([...pythons()])("runs the seed's lines verbatim on Python %s (R83)", async (_, python) => {
    const run = await runPython(['-W', 'ignore', join(consumers, 'seed_lines.py')], { cwd: echo, python });
    expect(run).toEqual({ code: 0, stdout: 'echo: hi\n', stderr: '' });
  });

  it('marshals every kind of value there and back', async () => {
    expect(await scenario('values')).toEqual({
      str: ['data', 'Text', "'hi'"],
      text: ['data', 'Text', "'shown'", 'ui', 'fr'],
      bytes: ['data', 'bytes', "b'\\x00\\xff'"],
      ints: ['data', 'bytes', "b'\\x00\\xff'"],
      dict: ['data', 'dict', "{'type': 'json', 'value': {'a': 1, '$b': [True, None]}}"],
      json: ['data', 'dict', `{'type': 'json', 'value': [${2n ** 70n}, inf, -0.0, 0.5], 'metadata': {'pts': 1}}`],
      number: ['data', 'dict', "{'type': 'json', 'value': 7}"],
      none: ['data', 'dict', "{'type': 'json', 'value': None}"],
      nested: ['data', 'dict', "{'type': 'json', 'value': {'$bytes': 'mine', 'in': {'$int': '5'}}}"],
      audio: [
        'audio',
        'dict',
        "{'type': 'audio', 'samples': array('f', [0.5, -1.0]), 'sample_rate': 16000, 'channels': 2, 'annotations': {'n': 1}}",
      ],
      array: ['audio', 'dict', "{'type': 'audio', 'samples': array('f', [0.25]), 'sample_rate': 8000, 'channels': 1}"],
      file: ['data', 'dict', "{'type': 'file', 'path': '/a/b', 'size': 3}"],
      video: [
        'video',
        'dict',
        "{'type': 'video', 'data': b'123', 'width': 1, 'height': 1, 'format': 'rgb', 'fps': 30, 'codec': 'vp8', 'frame_number': 0, 'is_keyframe': False}",
      ],
      tensor: ['data', 'ArrayDict', "{'type': 'tensor', 'data': b'\\x01\\x02', 'shape': [2], 'dtype': 'u8'}"],
    });
  });

  it('takes NumPy arrays and scalars where there is NumPy, and refuses what is no numbers', async () => {
    const python = pythonWith('numpy');
    expect(await scenario('with_numpy', { python })).toEqual({
      array: [
        [
          [0, 1, 2],
          [3, 4, 5],
        ],
        [2, 3],
        '<i4',
      ],
      audio: [[0.5, -0.5], 'float32', 24000, 1],
      scalars: { f: 0.5, i: 3 },
      frame: [1, 2],
      refused: 'TypeError',
    });
  }, 120_000);

  it('raises in the next receiver what a node raised, with node, input and traceback, and goes on (R42)', async () => {
    expect(await scenario('errors')).toEqual({
      first: '1:a',
      failed: {
        text: "Node 'talker' failed on input 2: input 2 refused",
        code: 'PLUGIN_RAISED',
        node: 'talker',
        input: 2,
        exception: 'ValueError',
        traceback: 'ValueError: input 2 refused',
        names_file: true,
        is_runtime_error: true,
      },
      after: '3:c',
    });
  });

  it('refuses bad manifests and inputs with the errors that consumers know (R28, R31, R84, R86)', async () => {
    const seen = await scenario('refusals');
    expect(seen['no-json']).toMatchObject({ kinds: expect.arrayContaining(['ValueError', 'RuntimeError']) });
    expect(seen['no-json']).toMatchObject({ text: expect.stringMatching(/^Failed to parse manifest: it is not JSON/) });
    expect(seen['broken-json']).toMatchObject({
      kinds: expect.arrayContaining(['ValueError']),
      text: 'Failed to parse manifest: it is not JSON at line 1, column 13',
    });
    expect(seen['no-nodes']).toMatchObject({
      text: "Failed to parse manifest: 'nodes' is missing, a list is expected",
    });
    expect(seen['unknown-node']).toMatchObject({
      code: 'NODE_UNKNOWN',
      kinds: expect.not.arrayContaining(['ValueError']),
      text: "create_session failed: Unknown node type 'Miror' for node 'a'\nDid you mean 'Mirror'?",
    });
    expect(seen['no-plugin']).toMatchObject({ code: 'PLUGIN_NOT_FOUND' });
    expect(seen['import']).toMatchObject({
      code: 'IMPORT_FAILED',
      text: expect.stringMatching(/^create_session failed: [^]*RuntimeError: refuses to load$/),
    });
    expect(seen['option']).toMatchObject({ text: expect.stringContaining("'node_timeout_ms'") });
    expect(seen['bad-audio']).toMatchObject({
      code: 'ARGUMENT_INVALID',
      kinds: expect.arrayContaining(['ValueError']),
    });
    expect(seen['object']).toMatchObject({ type: 'TypeError' });
    expect(seen['after']).toBe('still works');
    const closed = 'Input channel closed — send_input after signal_input_complete/close';
    expect(seen['send-after-complete']).toMatchObject({ type: 'RuntimeError', text: closed });
    expect(seen['ended']).toEqual([null, null, null, null]);
    expect(seen['send-after-close']).toMatchObject({ type: 'RuntimeError', text: closed });
    expect(seen['recv-after-close']).toBeNull();
    expect(seen['control-after-close']).toBe('Session ');
  });

  it('keeps the order across kinds and leaves to each receiver what is its own (R84, R85)', async () => {
    expect(await scenario('order')).toEqual({
      nothing: [null, null],
      gave_up: 20,
      audio: true,
      texts: true,
      mixed: [
        ['talker', 1, 'text'],
        ['talker', 1, 'audio'],
        ['talker', 1, 'text'],
      ],
    });
  });

  it('loses nothing when receivers give up at any moment', async () => {
    expect(await scenario('giving_up')).toEqual({ complete: true, cancelled: true });
  });

  it('runs many sessions of several event loops on one host, with ids of their own (R92)', async () => {
    expect(await scenario('many')).toEqual({ apart: true, elsewhere: true, ids: 6, hosts: 1 });
  });

  it('calls published methods in every mode, and names what goes wrong (R70)', async () => {
    const seen = await scenario('rpc');
    expect(seen).toMatchObject({
      reply: { args: [1, 'two'], kwargs: { three: 3 } },
      raised: { type: 'RpcError', text: 'ValueError: bad' },
      late: { type: 'RpcTimeoutError' },
      'no-node': { type: 'UnknownNodeError' },
      stream: [0, 1, 2],
      'await-stream': { type: 'RpcError', code: 'WIRE_MODE_MISMATCH' },
      kinds: [true, true, true, true],
      notes: ['remembered'],
      'broken-stream': [[0, 1], 'RuntimeError: stream broke'],
      once: { type: 'RpcError' },
      responsive: 1,
    });
  });

  it('taps, publishes, intercepts and switches nodes on the control bus (R87, R88, R89)', async () => {
    expect(await scenario('bus')).toMatchObject({
      tapped: { a: [1] },
      out: { type: 'json', value: { a: [1] } },
      attach: 'tester',
      replace: ['replace', true],
      drop: ['drop', true],
      pass_through: ['pass_through', true],
      intercepted: ['other', 'pass_through'],
      published: [1],
      kept: 'kept',
      'wrong-way': { type: 'ControlAddressError' },
      address: true,
      'tap-closed': { type: 'SessionNotFoundError' },
    });
  });

  it('barges in on a node that speaks, and the next turn begins (R72)', async () => {
    const expected = { first: 'w0', barged: '<interrupted by rpc>', next: 'x0', 'after-cancel': 'y0' };
    expect(await scenario('barge_in')).toEqual(expected);
  });

  it('consumes all inputs and returns all outputs of a pipeline, or the first as the original (R93)', async () => {
    expect(await scenario('unary')).toEqual({
      all: ['1:a', '2:b'],
      strict: '1:a',
      metrics: [['1:a', '2:b'], 2],
      empty: ['1:'],
      wrapped: ['1:z'],
      failed: [3, ['1:a', '2:b', '4:d']],
    });
  });

  it('carries large payloads both ways, and stops a pipeline that nobody reads (R43, R80)', async () => {
    expect(await scenario('large')).toEqual({
      back: [true, true, true, true],
      audio: true,
      first: 2 ** 20,
      meanwhile: 'meanwhile',
      bounded: true,
    });
  });

  it('tells who waits when the host is killed, and starts another for the next session', async () => {
    expect(await scenario('host_dies')).toEqual({
      told: 'The Charmer host has ended: signal 9 ended it',
      after: null,
      sending: 'HOST_CLOSED',
      text: 'back',
      another: true,
    });
  });

  it('leaves the host to the original process when it is forked', async () => {
    const said = 'The Charmer host belongs to the process that this one is a copy of';
    expect(await scenario('forked')).toEqual({ said, text: 'unharmed' });
  });

  it('tells its versions, and what only the native runtime had', async () => {
    const version = (await charmer(['--version'])).stdout.trim();
    expect(await scenario('about')).toMatchObject({
      available: true,
      runtime: version,
      module: '0.2.0',
      native: expect.stringContaining("'load_plugin'"),
    });
  });

  it('ends every process with a program that ends without closing anything', async () => {
    const held = await holdConnection();
    const run = await runPython([join(consumers, 'scenarios.py'), 'holds', String(held.port)]);
    expect(run).toEqual({ code: 0, stdout: '"held"\n', stderr: '' });
    await within(2_000, held.gone);
    held.close();
  });

  it('ends every process with a program that is killed', async () => {
    const held = await holdConnection();
    const child = startPython([join(consumers, 'scenarios.py'), 'holds_for_ever', String(held.port)]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await within(2_000, held.gone);
    held.close();
  });
});

describe('remotemedia.runtime without its host', () => {
  it('says that Node is not there, and what to do', async () => {
    const { available, error } = await scenario('unavailable', { python: realPython(), env: { PATH: emptyPath() } });
    expect(available).toBe(false);
    expect(error).toMatchObject({
      type: 'HostUnavailableError',
      text: expect.stringMatching(/there is no node on PATH\. Install Node 20\.19 or later from https:\/\/nodejs\.org/),
    });
  });

  it('says that Node is too old, and which one it needs', async () => {
    const directory = emptyPath();
    // Stands for a Node of another age: it tells its version, and chokes on the program.
    writeFileSync(join(directory, 'node'), '#!/bin/sh\n[ "$1" = --version ] && echo v16.20.2 && exit 0\nexit 1\n');
    chmodSync(join(directory, 'node'), 0o755);
    const { available, error } = await scenario('unavailable', { python: realPython(), env: { PATH: directory } });
    expect(available).toBe(false);
    expect(error).toMatchObject({
      type: 'HostUnavailableError',
      text: expect.stringMatching(/is Node 16\.20\.2, Charmer needs 20\.19 or later/),
    });
  });

  it('starts what CHARMER_COMMAND says, and tells what that said when it is no host', async () => {
    const good = `"${process.execPath}" "${join(root, 'dist/cli/main.js')}"`;
    expect(await scenario('errors', { env: { CHARMER_COMMAND: good } })).toMatchObject({ first: '1:a' });
    const env = { CHARMER_COMMAND: `${process.execPath} -e "console.error('not me'); process.exit(3)"` };
    const { error } = await scenario('unavailable', { env });
    expect(error).toMatchObject({
      type: 'HostUnavailableError',
      text: expect.stringMatching(/ended with exit status 3\n {2}\| not me/),
    });
  });
});

describe('charmer python-path', () => {
  it('prints directories that make our packages importable', async () => {
    const path = (await charmer(['python-path'])).stdout.trim();
    const run = await runPython(['-c', 'import remotemedia.runtime, fidius; print("both")'], {
      env: { PYTHONPATH: path },
    });
    expect(run.stdout).toBe('both\n');
  });
});

describe('charmer serve', () => {
  it('says what it needs to know when it is started by hand', async () => {
    const run = await charmer(['serve']);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('--stdio');
  });

  it('tells a client that speaks something else, and ends', async () => {
    const run = await charmer(['serve', '--stdio'], { stdin: 'GET / HTTP/1.1\r\n\r\n' });
    expect(run.code).toBe(5);
    expect(run.stdout).toContain('"kind":"fatal"');
    expect(run.stderr).toContain('FRAME_TOO_LARGE');
  });
});

/** A directory for PATH that holds nothing but a shell. */
function emptyPath(): string {
  const directory = join(temporaryDirectory(), 'bin');
  mkdirSync(directory);
  symlinkSync('/bin/sh', join(directory, 'sh'));
  return directory;
}

/** An interpreter by its path, for where PATH is not ours. */
function realPython(): string {
  return [...pythons().values()].find((path) => path.startsWith('/')) ?? '/usr/bin/python3';
}
