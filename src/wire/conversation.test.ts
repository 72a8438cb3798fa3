import { afterEach, describe, expect, it } from 'vitest';

import { CallError, PluginError, ProtocolError, StartError } from '../errors.ts';
import type { WorkerEvent } from './messages.ts';
import { closeRunner, openMessage, openRunner, startRunner, type TestRunner } from './runner.case.ts';
import { isData } from './values.ts';

let runner: TestRunner | undefined;
afterEach(async () => {
  await closeRunner(runner);
  runner = undefined;
});

async function open(...args: Parameters<typeof openRunner>): ReturnType<typeof openRunner> {
  const opened = await openRunner(...args);
  runner = opened;
  return opened;
}

describe('hello()', () => {
  it('tells the versions and the process of the runner', async () => {
    runner = startRunner();
    const hello = await runner.conversation.hello();
    expect(hello).toMatchObject({ protocol: 1, pid: runner.child.pid });
    expect(hello.python).toMatch(/^3\.\d+\.\d+$/);
  });

  it('rejects with the signal’s reason', async () => {
    runner = startRunner();
    const reason = new Error('changed my mind');
    await expect(runner.conversation.hello({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('open()', () => {
  it('answers with operations, warnings and facts, after events of the opening', async () => {
    const events: WorkerEvent[] = [];
    const { opened } = await open({}, { onEvent: (event) => events.push(event) });
    expect(opened.operations).toContainEqual({ name: 'add', kind: 'unary', wireMode: 'typed' });
    expect(opened.warnings).toEqual(['Careful']);
    expect(opened.facts).toEqual({ stage: 'open' });
    expect(events).toEqual([{ type: 'progress', done: 0 }]);
  });

  it('rejects with IMPORT_FAILED and the plugin’s traceback when the module is absent', async () => {
    runner = startRunner();
    const error = await runner.conversation.open(openMessage({ module: 'absent_module' })).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({
      code: 'IMPORT_FAILED',
      message: "Plugin raised 'ModuleNotFoundError' while it was opened: No module named 'absent_module'",
      details: { pluginCode: 'ModuleNotFoundError' },
    });
  });

  it('passes on the dialect’s own failure with its evidence', async () => {
    runner = startRunner();
    const error = await runner.conversation.open(openMessage({ fails: 'mismatch' })).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ code: 'INTERFACE_MISMATCH', path: 'plugin.py', line: 3 });
  });
});

describe('call()', () => {
  it('answers with what Python returned', async () => {
    const { call } = await open();
    expect(await call('add', 1, 2)).toBe(3);
    expect(await call('echo', { text: 'ü \ud83d\ude00', list: [1, 1.5, null, true] })).toEqual({
      text: 'ü \ud83d\ude00',
      list: [1, 1.5, null, true],
    });
  });

  it('rejects with PluginError, its class, message and a traceback of the plugin alone', async () => {
    const { call } = await open();
    const error = await call('fail', 'broken').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PluginError);
    expect(error).toMatchObject({ code: 'PLUGIN_RAISED', pluginCode: 'ValueError', message: 'broken' });
    const traceback = (error as PluginError).traceback ?? '';
    expect(traceback.split('\n')).toEqual([
      'Traceback (most recent call last):',
      expect.stringMatching(/^ {2}File ".*wire_plugin\.py", line \d+, in fail$/),
      '    raise ValueError(message)',
      'ValueError: broken',
      '',
    ]);
  });

  it('keeps the causes in a traceback', async () => {
    const { call } = await open();
    const error = await call('fail_with_cause').catch((e: unknown) => e);
    expect((error as PluginError).traceback).toMatch(/ValueError: inner\n\nThe above exception was the direct cause/);
    expect(error).toMatchObject({ pluginCode: 'KeyError', message: "'outer'" });
  });

  it('puts a placeholder for a message that cannot be read', async () => {
    const { call } = await open();
    await expect(call('fail_unreadable')).rejects.toThrow('<unprintable Unreadable object>');
  });

  it('lets the dialect describe an exception', async () => {
    const { call } = await open();
    const error = await call('fail_coded').catch((e: unknown) => e);
    expect(error).toMatchObject({ pluginCode: 'E_CODED', message: 'described x', pluginDetails: { n: 1 } });
  });

  it('reports sys.exit() as the plugin’s error, and the worker goes on', async () => {
    const { call } = await open();
    await expect(call('leave')).rejects.toMatchObject({ pluginCode: 'SystemExit', message: '3' });
    expect(await call('add', 2, 2)).toBe(4);
  });

  it('rejects with OPERATION_UNKNOWN for a slot that is none', async () => {
    const { conversation } = await open();
    await expect(conversation.call(999, [])).rejects.toMatchObject({ code: 'OPERATION_UNKNOWN' });
  });

  it('answers many calls in flight, each with its own result', async () => {
    const { call } = await open();
    const sums = await Promise.all(Array.from({ length: 5000 }, (_, i) => call('add', i, 1)));
    expect(sums).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
  });

  it('sends a quick answer before slower calls that follow it', async () => {
    const events: WorkerEvent[] = [];
    const { call, conversation, slot } = await open({}, { onEvent: (event) => events.push(event) });
    const stop = new AbortController();
    const quick = call('add', 1, 1);
    const spinning = conversation.call(slot('spin'), [], { signal: stop.signal }).catch((e: unknown) => e);
    expect(await quick).toBe(2);
    stop.abort(new Error('enough'));
    expect(await spinning).toMatchObject({ message: 'enough' });
  });

  it('sends a quick answer before a slower call even when thousands were quick', async () => {
    const { call, conversation, slot } = await open();
    await Promise.all(Array.from({ length: 3000 }, () => call('add', 1, 1)));
    const stop = new AbortController();
    const quick = Promise.all(Array.from({ length: 100 }, (_, i) => call('add', i, 1)));
    const sleeping = conversation.call(slot('sleep'), [], { signal: stop.signal }).catch((e: unknown) => e);
    expect(await quick).toHaveLength(100);
    stop.abort(new Error('enough'));
    await sleeping;
  });

  it('sends quick answers before an operation that was always quick and now blocks', async () => {
    const { call, conversation, slot } = await open();
    const stop = new AbortController();
    const quick = Promise.all(Array.from({ length: 1000 }, () => call('drowse', 0)));
    const sleeping = conversation.call(slot('drowse'), [3600], { signal: stop.signal }).catch((e: unknown) => e);
    expect(await quick).toHaveLength(1000);
    stop.abort(new Error('enough'));
    expect(await sleeping).toMatchObject({ message: 'enough' });
  });

  it('throws ARGUMENT_INVALID for arguments larger than a frame, and goes on', async () => {
    const { call } = await open({}, { maxFrameBytes: 100_000 });
    await expect(call('echo', 'x'.repeat(100_001))).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(await call('add', 1, 1)).toBe(2);
  });

  it('rejects with OUTPUT_TOO_LARGE for a result larger than a frame, and goes on', async () => {
    const { call } = await open({}, { maxFrameBytes: 100_000 });
    await expect(call('repeat', 'x', 100_001)).rejects.toMatchObject({
      code: 'OUTPUT_TOO_LARGE',
    });
    expect(await call('add', 1, 1)).toBe(2);
  });

  it('carries megabytes of bytes and text unharmed', async () => {
    const { call } = await open();
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 256);
    const text = 'ä€😀'.repeat(300_000);
    const [gotBytes, gotText] = (await call('echo', [bytes, text])) as [Uint8Array, string];
    expect(Buffer.compare(gotBytes, bytes)).toBe(0);
    expect(gotText === text).toBe(true);
  });
});

describe('callRaw()', () => {
  it('carries bytes both ways without JSON', async () => {
    const { conversation, slot } = await open();
    const answer = await conversation.callRaw(slot('raw_reverse'), Uint8Array.of(1, 2, 3));
    expect(answer).toEqual(Uint8Array.of(3, 2, 1));
    expect(Buffer.isBuffer(answer)).toBe(false);
    expect(await conversation.callRaw(slot('raw_reverse'), new Uint8Array())).toEqual(new Uint8Array());
  });

  it('sends options beside the bytes', async () => {
    const { conversation, slot } = await open();
    const options = { options: { traceparent: '00-1' } };
    expect(await conversation.callRaw(slot('raw_reverse'), Uint8Array.of(1, 2), options)).toEqual(Uint8Array.of(2, 1));
  });

  it('rejects with RESULT_INVALID when Python returns something else', async () => {
    const { conversation, slot } = await open();
    await expect(conversation.callRaw(slot('raw_text'), Uint8Array.of(1))).rejects.toMatchObject({
      code: 'RESULT_INVALID',
      message: "Raw operation 'raw_text' returned 'str', expected bytes",
    });
  });
});

describe('values', () => {
  it('survive both ways where plain JSON loses them', async () => {
    const { call } = await open();
    const value = {
      bytes: Uint8Array.of(0, 255),
      big: [2n ** 53n, -(2n ** 64n)],
      floats: [NaN, Infinity, -Infinity, -0],
      $bytes: 0,
      $$x: '\ud800',
    };
    expect(await call('echo', value)).toEqual(value);
  });

  it('of Python arrive as JSON has them', async () => {
    const { call } = await open();
    expect(await call('make', 'int-enum')).toBe(1);
    expect(await call('make', 'str-enum')).toBe('good');
    expect(await call('make', 'namedtuple')).toEqual([1, 2]);
    expect(await call('make', 'tuple')).toEqual([1, [2, 3]]);
    expect(await call('make', 'keys')).toEqual({ true: 1, null: 2, '3': 4, '1.5': 6, '(1, 2)': 7 });
    expect(await call('make', 'surrogate')).toBe('\ud800x');
    expect(await call('make', 'big')).toEqual([2n ** 53n, 2 ** 53 - 1, -(2n ** 64n), 12345678901234567n]);
    expect(await call('make', 'float')).toBe(12345678901234567890);
    expect(await call('make', 'nan')).toEqual([NaN, Infinity, -Infinity, -0]);
    expect(await call('make', 'bytes')).toEqual([Uint8Array.of(0, 255), Uint8Array.of(97, 98), Uint8Array.of(99, 100)]);
    expect(await call('make', 'dollar')).toEqual({ $bytes: 0 });
    expect(await call('make', 'dollar-tagged')).toEqual({ $bytes: 0, raw: Uint8Array.of(120), $$a: 1 });
    expect(JSON.stringify(await call('make', 'deep-enough'))).toHaveLength(401);
  });

  it.each([
    ['date', "'result.items[3].when' is of type 'datetime.date', expected a JSON value, bytes or an array"],
    ['decimal', "'result' is of type 'decimal.Decimal', expected a JSON value, bytes or an array"],
    ['set', "'result[0]' is of type 'set', expected a JSON value, bytes or an array"],
    ['function', "'result.f' is of type 'function', expected a JSON value, bytes or an array"],
    ['collision', "Two keys of the dict at 'result.outer' become the text '1'"],
    ['cycle', "Value at 'result.me[0]' contains itself, expected a tree"],
    ['deep', "Value at 'result[0][0][0]…' nests deeper than 200 levels"],
    ['deepest', "Value at 'result[0][0][0]…' nests deeper than 200 levels"],
    ['huge-int', "Value at 'result' holds an integer of more digits than Python writes"],
  ])('of Python that cannot cross are RESULT_INVALID: %s', async (what, message) => {
    const { call } = await open();
    await expect(call('make', what)).rejects.toMatchObject({ code: 'RESULT_INVALID', message });
    expect(await call('add', 1, 1)).toBe(2);
  });

  it('of the host that cannot cross are ARGUMENT_INVALID naming the place', async () => {
    const { call } = await open();
    await expect(call('echo', { when: [new Date(0)] })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: "'arguments[0].when[0]' is of type 'Date', expected a JSON value, bigint or Uint8Array",
    });
  });

  it('with the data mark stay marked', async () => {
    const { call } = await open();
    const array = {
      [Symbol.for('charmer.data')]: true,
      type: 'numpy',
      dtype: '<f4',
      shape: [1],
      data: new Uint8Array(4),
    };
    const echoed = await call('echo', array);
    expect(isData(echoed)).toBe(true);
    expect(echoed).toEqual(array);
  });
});

describe('events', () => {
  it('go to onEvent with the call’s id, and progress to the call itself, before the result', async () => {
    const seen: unknown[] = [];
    const { conversation, slot } = await open({}, { onEvent: (event, callId) => seen.push([event['done'], callId]) });
    seen.length = 0;
    const progress: unknown[] = [];
    await conversation.call(slot('tell'), [3], { onProgress: (event) => progress.push(event['done']) });
    expect(progress).toEqual([0, 1, 2]);
    expect(seen).toEqual([0, 1, 2].map((done) => [done, expect.any(Number)]));
  });

  it('of many threads arrive whole', async () => {
    const counts = new Map<unknown, number>();
    const { call } = await open(
      {},
      {
        onEvent: ({ number, index }) => {
          if (number === undefined) return;
          expect(index).toBe(counts.get(number) ?? 0);
          counts.set(number, (counts.get(number) ?? 0) + 1);
        },
      },
    );
    await call('tell_from_threads', 8, 100);
    expect([...counts.values()]).toEqual(Array.from({ length: 8 }, () => 100));
  });
});

describe('questions', () => {
  it('are answered by onAsk while the call runs', async () => {
    const { call } = await open({}, { onAsk: async (question) => ({ heard: question }) });
    expect(await call('ask', { a: 1 })).toEqual({ heard: { a: 1 } });
    expect(await call('a_ask', 5)).toEqual({ heard: 5 });
  });

  it('fail in Python as the host’s answer fails', async () => {
    const { call } = await open({}, { onAsk: () => Promise.reject(new Error('not telling')) });
    expect(await call('ask_caught', 1)).toBe('not telling');
  });

  it('are refused when nobody answers', async () => {
    const { call } = await open();
    expect(await call('ask_caught', 1)).toBe('Host answers no questions of this plugin');
  });
});

describe('end()', () => {
  it('rejects everything pending with its reason, once', async () => {
    const { call, conversation, child } = await open();
    const waiting = call('sleep');
    const reason = new CallError('PLUGIN_EXITED', 'Gone');
    conversation.end(reason);
    conversation.end(new Error('second'));
    await expect(waiting).rejects.toBe(reason);
    await expect(call('add', 1, 1)).rejects.toBe(reason);
    expect(await conversation.ended).toBe(reason);
    child.kill('SIGKILL');
  });
});

describe('a broken runner', () => {
  it('that writes garbage ends the conversation with ProtocolError', async () => {
    const { conversation, streams, call, child } = await open();
    const waiting = call('sleep');
    streams.output.emit('data', Buffer.from('Traceback (most recent call last)'));
    await expect(waiting).rejects.toBeInstanceOf(ProtocolError);
    expect(await conversation.ended).toMatchObject({ code: 'MESSAGE_UNEXPECTED' });
    child.kill('SIGKILL');
  });

  it('that dies settles its calls even when nobody says why', async () => {
    const { call } = await open();
    await expect(call('vanish')).rejects.toMatchObject({
      code: 'PLUGIN_EXITED',
      message: 'Runner closed the wire before every call was settled, expected it to go on',
    });
  });
});
