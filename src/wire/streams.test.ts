import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { WorkerEvent } from './messages.ts';
import { closeRunner, collect, loopDialect, openRunner, type TestRunner } from './runner.case.ts';

let runner: TestRunner | undefined;
let directory = '';
let events: WorkerEvent[] = [];
let heard: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wire-'));
  events = [];
  heard = [];
});
afterEach(async () => {
  await closeRunner(runner);
  runner = undefined;
  rmSync(directory, { recursive: true });
});

async function open(dialect?: string): ReturnType<typeof openRunner> {
  const opened = await openRunner(
    {},
    {
      onEvent: (event) => {
        events.push(event);
        for (const wake of heard.splice(0)) wake();
      },
      ...(dialect === undefined ? {} : { open: { dialect } }),
    },
  );
  runner = opened;
  return opened;
}

/** Waits until the plugin has sent so many events of a type. */
async function event(type: string, times = 1): Promise<void> {
  while (events.filter((each) => each.type === type).length < times) {
    await new Promise<void>((resolve) => heard.push(resolve));
  }
}

/** Lets plugin code go on that waits on the socket. */
async function release(path: string): Promise<void> {
  await new Promise<void>((resolve) => connect(path).on('close', resolve).resume());
}

describe.each([
  ['without an event loop', undefined],
  ['under an event loop', loopDialect],
])('stream() %s', (_, dialect) => {
  it('yields every item in order', async () => {
    const { stream } = await open(dialect);
    expect(await collect(stream('count', 3))).toEqual([0, 1, 2]);
    expect(await collect(stream('count', 0))).toEqual([]);
    expect(await collect(stream('count', 50_000))).toEqual(Array.from({ length: 50_000 }, (__, i) => i));
    expect(await collect(stream('a_count', 5000))).toEqual(Array.from({ length: 5000 }, (__, i) => i));
  });

  it('yields from anything iterable, also behind a coroutine', async () => {
    const { stream } = await open(dialect);
    expect(await collect(stream('listed'))).toEqual([1, 2, 3]);
    expect(await collect(stream('a_stream_of_list'))).toEqual([1, 2, 3]);
  });

  it('rejects with RESULT_INVALID when the result is not iterable', async () => {
    const { stream } = await open(dialect);
    await expect(collect(stream('no_stream'))).rejects.toMatchObject({
      code: 'RESULT_INVALID',
      message: "Stream 'no_stream' returned 'int', expected an iterable",
    });
  });

  it('yields the items before a failure, then rejects', async () => {
    const { stream } = await open(dialect);
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of stream('fail_after', 40)) items.push(item);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'PLUGIN_RAISED', message: 'enough' });
    expect(items).toHaveLength(40);
  });

  it('names the item’s place when an item cannot cross', async () => {
    const { stream } = await open(dialect);
    await expect(collect(stream('bad_item'))).rejects.toMatchObject({
      code: 'RESULT_INVALID',
      message: "'item' is of type 'set', expected a JSON value, bytes or an array",
    });
  });

  it('cancels the generator when the loop is left', async () => {
    const { stream, conversation } = await open(dialect);
    for (const operation of ['forever', 'a_forever']) {
      for await (const item of stream(operation)) if (item === 3) break;
    }
    await event('closed', 2);
    await conversation.ping();
    expect(conversation.pendingCount).toBe(0);
  });

  it('may call the worker inside of its loop, for any length', async () => {
    const { stream, call } = await open(dialect);
    let sum = 0;
    for await (const item of stream('count', 10_000)) sum += (await call('echo', item)) as number;
    expect(sum).toBe((10_000 * 9_999) / 2);
  });

  it('shares the worker with other streams', async () => {
    const { stream } = await open(dialect);
    const endless = stream('forever');
    const asyncEndless = stream('a_forever');
    expect(await collect(stream('count', 5000))).toHaveLength(5000);
    expect(await endless.next()).toEqual({ value: 0, done: false });
    expect(await asyncEndless.next()).toEqual({ value: 0, done: false });
    expect(await collect(stream('a_count', 5000))).toHaveLength(5000);
    await endless.return?.();
    await asyncEndless.return?.();
    await event('closed', 2);
  });
});

describe('stream()', () => {
  it('makes the call with the first next() only', async () => {
    const { stream, conversation } = await open();
    const items = stream('forever');
    expect(conversation.pendingCount).toBe(0);
    await items.next();
    expect(conversation.pendingCount).toBe(1);
    await items.return?.();
    expect(await items.next()).toEqual({ value: undefined, done: true });
  });

  it('produces no more than its window while nobody reads', async () => {
    const { conversation, slot } = await open();
    const items = conversation.stream(slot('blobs'), [1000, 10], { window: 4 });
    await items.next();
    await conversation.ping();
    await conversation.ping();
    expect(events.filter(({ type }) => type === 'made').length).toBeLessThanOrEqual(5);
    await items.return?.();
  });

  it('produces no more than 4 MiB while nobody reads, but one item of any size', async () => {
    const { stream, conversation } = await open();
    const small = stream('blobs', 1000, 1 << 20);
    await small.next();
    await conversation.ping();
    await conversation.ping();
    expect(events.filter(({ type }) => type === 'made').length).toBeLessThanOrEqual(7);
    await small.return?.();
    const sizes = (await collect(stream('blobs', 3, 6 << 20))).map((item) => (item as Uint8Array).length);
    expect(sizes).toEqual([6 << 20, 6 << 20, 6 << 20]);
  });

  it('delivers what is ready although the generator then blocks', async () => {
    const { stream } = await open();
    const path = join(directory, 's');
    const items = stream('slow_after', 3000, path);
    for (let i = 0; i < 3000; i++) expect((await items.next()).value).toBe(i);
    await event('waiting');
    const late = items.next();
    await release(path);
    expect((await late).value).toBe('late');
  });

  it('delivers what is ready although a generator that was quick blocks without a word', async () => {
    const { stream, conversation, slot } = await open();
    const stop = new AbortController();
    const items = conversation.stream(slot('drowse_after'), [3000], { signal: stop.signal });
    for (let i = 0; i < 3000; i++) expect((await items.next()).value).toBe(i);
    stop.abort(new Error('enough'));
    await expect(items.next()).rejects.toMatchObject({ message: 'enough' });
    expect(await collect(stream('count', 2))).toEqual([0, 1]);
  });

  it('answers several next() in order', async () => {
    const { stream } = await open();
    const items = stream('count', 3);
    const results = await Promise.all([items.next(), items.next(), items.next(), items.next(), items.next()]);
    expect(results.map(({ value }) => value as unknown)).toEqual([0, 1, 2, undefined, undefined]);
  });

  it('rejects at once when aborted, and drops what has arrived', async () => {
    const { conversation, slot } = await open();
    const stop = new AbortController();
    const items = conversation.stream(slot('forever'), [], { signal: stop.signal });
    await items.next();
    stop.abort(new Error('stopped'));
    await expect(items.next()).rejects.toThrow('stopped');
    await event('closed');
  });
});

describe('client streams', () => {
  it('carry arrays’ iterators, generators and async generators', async () => {
    const { call } = await open();
    expect(await call('total', [1, 2, 3].values())).toBe(6);
    expect(await call('collect', numbers(2500))).toEqual(Array.from({ length: 2500 }, (_, i) => i));
    expect(await call('collect', asyncNumbers(2500))).toEqual(Array.from({ length: 2500 }, (_, i) => i));
    expect(await call('a_total', asyncNumbers(1000))).toBe(499_500);
  });

  it('carry bytes and other values that need tags', async () => {
    const { call } = await open();
    const items = [Uint8Array.of(1), NaN, 2n ** 60n, { a: [1] }];
    expect(await call('collect', items.values())).toEqual(items);
  });

  it('go both ways at once', async () => {
    const { stream } = await open();
    expect(await collect(stream('double', asyncNumbers(3000)))).toEqual(Array.from({ length: 3000 }, (_, i) => 2 * i));
    expect(await collect(stream('a_double', asyncNumbers(3000)))).toEqual(
      Array.from({ length: 3000 }, (_, i) => 2 * i),
    );
  });

  it('work under an event loop, for sync and async code', async () => {
    const { stream, call } = await open(loopDialect);
    expect(await call('total', asyncNumbers(1000))).toBe(499_500);
    expect(await call('a_total', asyncNumbers(1000))).toBe(499_500);
    expect(await collect(stream('double', asyncNumbers(500)))).toHaveLength(500);
    expect(await collect(stream('a_double', asyncNumbers(500)))).toHaveLength(500);
  });

  it('alternate with their answers: each item is sent before the next answer comes', async () => {
    const { stream } = await open();
    const answers: ((value: number) => void)[] = [];
    const producer = (async function* () {
      for (let i = 1; i < 1000; i *= 2) {
        yield i;
        expect(await new Promise((resolve) => answers.push(resolve))).toBe(2 * i);
      }
    })();
    let count = 0;
    for await (const item of stream('double', producer)) {
      count++;
      answers.shift()?.(item as number);
    }
    expect(count).toBe(10);
  });

  it('are not pulled until Python asks, and never further than credit', async () => {
    const { call } = await open();
    let pulled = 0;
    const producer = (function* () {
      for (;;) {
        pulled++;
        yield pulled;
      }
    })();
    expect(await call('ignore', producer)).toBe('done');
    expect(pulled).toBe(0);
    const second = counting();
    expect(await call('first', second.items, 1)).toEqual([1]);
    expect(second.pulled()).toBeLessThanOrEqual(16);
  });

  it('let the producer clean up when the call ends early', async () => {
    const { call } = await open();
    const { items, returned } = counting();
    await call('first', items, 20);
    await returned;
  });

  it('let the producer clean up when Python drops its iterator while the call goes on', async () => {
    const { call } = await open();
    const { items, returned } = counting();
    const path = join(directory, 's');
    const answer = call('drop', items, path);
    await event('waiting');
    await returned;
    await release(path);
    expect(await answer).toBe(1);
  });

  it('raise in Python what the producer threw', async () => {
    const { call } = await open();
    const producer = (async function* () {
      yield 1;
      throw new Error('source dried up');
    })();
    expect(await call('catch', producer)).toEqual(['HostError', 'source dried up']);
  });

  it('keep the producer’s error as the cause when the call fails of it', async () => {
    const { call } = await open();
    const dry = new Error('source dried up');
    const producer = (async function* () {
      yield 1;
      throw dry;
    })();
    await expect(call('total', producer)).rejects.toMatchObject({ pluginCode: 'HostError', cause: dry });
  });

  it('raise in Python when an item cannot cross', async () => {
    const { call } = await open();
    expect(await call('catch', [1, new Date(0)].values())).toEqual([
      'HostError',
      "'item' is of type 'Date', expected a JSON value, bigint or Uint8Array",
    ]);
  });

  it('wait without keeping other calls out', async () => {
    const { call } = await open();
    const gate = gated();
    const pulling = call('pull', gate.items);
    await event('pulling');
    expect(await call('add', 1, 2)).toBe(3);
    expect(await call('a_echo', 5)).toBe(5);
    gate.open('item');
    expect(await pulling).toBe('item');
  });

  it('may wait inside of each other eight deep, and further calls are OVERLOADED', async () => {
    const { call } = await open();
    const gates = Array.from({ length: 9 }, () => gated());
    const pulling: Promise<unknown>[] = [];
    for (const gate of gates) {
      pulling.push(call('pull', gate.items));
      await event('pulling', pulling.length);
    }
    await expect(call('add', 1, 1)).rejects.toMatchObject({ code: 'OVERLOADED' });
    for (const [index, gate] of gates.entries()) gate.open(index);
    expect(await Promise.all(pulling)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await call('add', 1, 1)).toBe(2);
  });

  it('of two streams with one item each at a time do not keep each other waiting', async () => {
    const { stream } = await open();
    const [left, right] = [gated(), gated()];
    const doubledLeft = stream('double', left.items);
    const doubledRight = stream('double', right.items);
    for (let round = 0; round < 5; round++) {
      const waiting = [doubledLeft.next(), doubledRight.next()];
      left.open(round);
      expect((await waiting[0])?.value).toBe(2 * round);
      right.open(10 * round);
      expect((await waiting[1])?.value).toBe(20 * round);
    }
    await doubledLeft.return?.();
    await doubledRight.return?.();
  });
});

function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

async function* asyncNumbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** An endless producer that tells how far it was pulled and when it was left. */
function counting(): { items: AsyncGenerator<number>; pulled(): number; returned: Promise<void> } {
  let pulled = 0;
  let leave: (() => void) | undefined;
  const returned = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const items = (async function* () {
    try {
      for (;;) yield ++pulled;
    } finally {
      leave?.();
    }
  })();
  return { items, pulled: () => pulled, returned };
}

/** A producer that yields what it is given, when it is given it. */
function gated(): { items: AsyncGenerator; open(item: unknown): void } {
  const ready: unknown[] = [];
  let wake: (() => void) | undefined;
  const items = (async function* () {
    for (;;) {
      while (ready.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      yield ready.shift();
    }
  })();
  return {
    items,
    open: (item) => {
      ready.push(item);
      wake?.();
    },
  };
}
