import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { WorkerEvent } from './messages.ts';
import { closeRunner, loopDialect, openRunner, type OpenRunner, startRunner, type TestRunner } from './runner.case.ts';

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

async function open(dialect?: string): Promise<OpenRunner> {
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

async function event(type: string, times = 1): Promise<WorkerEvent> {
  for (;;) {
    const found = events.filter((each) => each.type === type)[times - 1];
    if (found !== undefined) return found;
    await new Promise<void>((resolve) => heard.push(resolve));
  }
}

/** Waits until everything that was sent is written. */
async function written(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function release(path: string): Promise<void> {
  await new Promise<void>((resolve) => connect(path).on('close', resolve).resume());
}

/** A call that can be aborted, and the news of its settling in the runner. */
function abortable(opened: OpenRunner, operation: string, ...args: unknown[]) {
  const stop = new AbortController();
  let onSettled: (() => void) | undefined;
  const settled = new Promise<void>((resolve) => {
    onSettled = resolve;
  });
  const options = { signal: stop.signal, onSettled: () => onSettled?.() };
  const call = opened.conversation.call(opened.slot(operation), args, options);
  return { call: call.catch((error: unknown) => error), settled, abort: (reason: Error) => stop.abort(reason) };
}

describe('cancel', () => {
  it.each(['spin', 'spin_careful', 'sleep', 'spin_politely'])('stops busy code: %s', async (operation) => {
    const opened = await open();
    const { call, settled, abort } = abortable(opened, operation);
    await event('spinning');
    const reason = new Error('enough');
    abort(reason);
    expect(await call).toBe(reason);
    expect(opened.conversation.busyCalls).toEqual([{ id: expect.any(Number), slot: opened.slot(operation) }]);
    await settled;
    expect(opened.conversation.pendingCount).toBe(0);
    expect(await opened.call('add', 1, 1)).toBe(2);
  });

  it('sets the flag that code may look at', async () => {
    const opened = await open();
    const { settled, abort } = abortable(opened, 'spin_politely');
    await event('spinning');
    abort(new Error('enough'));
    await settled;
    expect(await event('noticed')).toMatchObject({ cancelled: true });
  });

  it('is raised once: code that catches everything goes on, and the call settles when it ends', async () => {
    const opened = await open();
    const { call, settled, abort } = abortable(opened, 'spin_stubborn');
    await event('spinning');
    abort(new Error('enough'));
    await call;
    await settled;
    expect(await opened.call('add', 1, 1)).toBe(2);
  });

  it('stops coroutines', async () => {
    for (const dialect of [undefined, loopDialect]) {
      const opened = await open(dialect);
      events = [];
      const { call, settled, abort } = abortable(opened, 'a_never');
      await event('spinning');
      abort(new Error('enough'));
      await call;
      await settled;
      await event('closed');
      expect(await opened.call('add', 1, 1)).toBe(2);
      await closeRunner(opened);
    }
  });

  it('stops busy code inside of a coroutine', async () => {
    const opened = await open(loopDialect);
    const { call, settled, abort } = abortable(opened, 'a_spin');
    await event('spinning');
    abort(new Error('enough'));
    await call;
    await settled;
    expect(await opened.call('add', 1, 1)).toBe(2);
  });

  it('stops a call that waits for its client stream, also when others wait on top of it', async () => {
    const opened = await open();
    const never = (): AsyncIterable<never> => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    });
    const lower = abortable(opened, 'pull', never());
    await event('pulling');
    const upper = abortable(opened, 'pull', never());
    await event('pulling', 2);
    lower.abort(new Error('lower'));
    expect(await lower.call).toMatchObject({ message: 'lower' });
    await opened.conversation.ping();
    expect(opened.conversation.busyCalls).toHaveLength(2);
    upper.abort(new Error('upper'));
    await upper.settled;
    await lower.settled;
    expect(await opened.call('add', 1, 1)).toBe(2);
  });

  it('reaches a call that is still behind others', async () => {
    const opened = await open();
    const path = join(directory, 's');
    const first = opened.call('wait_here', path);
    await event('waiting');
    const second = abortable(opened, 'spin');
    second.abort(new Error('never mind'));
    await second.call;
    await written();
    await release(path);
    expect(await first).toBe('released');
    await second.settled;
    expect(events.filter(({ type }) => type === 'spinning')).toEqual([]);
  });

  it('sends nothing when the signal was aborted before', async () => {
    const opened = await open();
    const reason = new Error('too late');
    const call = opened.conversation.call(opened.slot('add'), [1, 1], { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect(opened.conversation.pendingCount).toBe(0);
  });

  it('of a call that has ended changes nothing', async () => {
    const opened = await open();
    const stop = new AbortController();
    expect(await opened.conversation.call(opened.slot('add'), [1, 1], { signal: stop.signal })).toBe(2);
    stop.abort();
    expect(await opened.call('add', 2, 2)).toBe(4);
  });

  it('does not settle a call whose code cannot be reached', async () => {
    const opened = await open();
    const { call, abort } = abortable(opened, 'deaf');
    await event('deaf');
    abort(new Error('enough'));
    expect(await call).toMatchObject({ message: 'enough' });
    await expect(opened.conversation.dump({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(opened.conversation.pendingCount).toBe(1);
    opened.child.kill('SIGKILL');
  });
});

describe('dump()', () => {
  it('shows where busy code is, and it goes on', async () => {
    const opened = await open();
    const path = join(directory, 's');
    const waiting = opened.call('wait_here', path);
    await event('waiting');
    const stacks = await opened.conversation.dump();
    expect(stacks).toMatch(/^Thread MainThread \(most recent call last\):\n/);
    expect(stacks).toMatch(/wire_plugin\.py", line \d+, in wait_here\n.*wire_plugin\.py", line \d+, in wait_for/);
    expect(stacks).not.toContain('_charmer');
    await release(path);
    expect(await waiting).toBe('released');
  });

  it('says that an idle worker is idle', async () => {
    const opened = await open();
    expect(await opened.conversation.dump()).toBe('Thread MainThread: idle\n');
  });

  it('shows other threads and waiting coroutines', async () => {
    const opened = await open();
    const never = abortable(opened, 'a_never');
    await event('spinning');
    await opened.conversation.ping();
    expect(await opened.conversation.dump()).toMatch(/Task .* \(most recent call last\):\n.*in a_never/);
    never.abort(new Error('enough'));
    await never.settled;
    const path = join(directory, 's');
    const thread = opened.call('wait_in_thread', path);
    await event('waiting');
    expect(await opened.conversation.dump()).toMatch(/Thread waiter \(most recent call last\):\n(.*\n)*.*in wait_for/);
    await release(path);
    await thread;
  });

  it('answers several at once', async () => {
    const opened = await open();
    const dumps = await Promise.all([1, 2, 3].map(() => opened.conversation.dump()));
    expect(dumps).toEqual(Array.from({ length: 3 }, () => 'Thread MainThread: idle\n'));
  });

  it('rejects when the conversation ends meanwhile', async () => {
    const started = startRunner();
    started.child.kill('SIGKILL');
    await started.exited;
    const dump = started.conversation.dump({ timeoutMs: 20_000 });
    const reason = new Error('gone');
    started.conversation.end(reason);
    await expect(dump).rejects.toBe(reason);
  });
});
