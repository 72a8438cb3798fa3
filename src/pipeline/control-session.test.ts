import { describe, expect, it } from 'vitest';

import type { RuntimeData } from '../runtime-data.ts';
import type { ControlSession } from './control-session.ts';
import type { PipelineNode, RpcOptions } from './pipeline-node.ts';
import type { PipelineSession } from './pipeline-session.ts';
import { startPipeline } from './start-pipeline.ts';

const word = (data: RuntimeData | null | undefined): string | undefined =>
  data?.type === 'text' ? data.data : undefined;

/** A chain of nodes that wrap texts in their ids, with methods that are called over the bus. */
function tagNode(id: string, calls: string[]): PipelineNode {
  return {
    turn: async function* (input) {
      for (const each of (word(input) ?? '').split(' ')) yield { type: 'text', data: `${id}(${each})` };
    },
    rpc: async function* (method, { args, kwargs }, { corrId, mode }: RpcOptions) {
      calls.push(`${method} ${mode ?? ''} ${corrId ?? 'null'}`);
      if (method === 'boom') throw Object.assign(new Error('never'), {});
      if (method === 'echo') yield { kind: 'value', data: [args, kwargs] };
      if (method === 'bad') yield { kind: 'error', data: 'ValueError: bad' };
      if (method === 'count') for (let n = 0; n < Number(args[0]); n += 1) yield { kind: 'value', data: n };
    },
    rpcMeta: async () => ({ echo: 'reply', bad: 'reply', count: 'stream', note: 'ff' }),
    onEvent: () => () => undefined,
    exited: new Promise(() => undefined),
    close: async () => undefined,
  };
}

async function chain(): Promise<{ session: PipelineSession; control: ControlSession; calls: string[] }> {
  const calls: string[] = [];
  const node = (id: string) => ({
    ...{ id, nodeType: 'tag', params: {}, isOutputNode: false, isFastPath: false, pythonDeps: [] },
  });
  const manifest = {
    ...{ name: '', version: 'v1', plugins: [], python: { extraDeps: [] }, findings: [] },
    nodes: ['a', 'b', 'c'].map(node),
    connections: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ],
  };
  const session = await startPipeline(manifest, { createNode: async ({ id }) => tagNode(id, calls) });
  return { session, control: session.control('test'), calls };
}

async function next(session: PipelineSession): Promise<string | undefined> {
  return word((await session.receive())?.data);
}

describe('ControlSession', () => {
  it.each(['b.in', 'b.in.x', 'b', '', '.out', 'b.sideways', 'b.out.'])(
    "ControlSession.subscribe() refuses '%s' (R87)",
    async (address) => {
      const { control } = await chain();
      expect(() => control.subscribe(address)).toThrow(expect.objectContaining({ name: 'ControlAddressError' }));
    },
  );

  it('ControlSession.subscribe() takes ports with dots and refuses unknown nodes (R87)', async () => {
    const { control } = await chain();
    expect(control.subscribe('b.out.a.b').address).toBe('b.out.a.b');
    expect(() => control.subscribe('nobody.out')).toThrow("no node 'nobody'");
    expect(() => control.publish('b.out', 'x')).toThrow(expect.objectContaining({ name: 'ControlAddressError' }));
  });

  it('ControlSession.publish() puts data on the queue of a node', async () => {
    const { session, control } = await chain();
    control.publish('c.in', 'x');
    expect(await next(session)).toBe('c(x)');
  });

  it('ControlSession.setNodeState() hands inputs on or drops them, from the next one on (R88)', async () => {
    const { session, control } = await chain();
    control.setNodeState('b', 'bypass');
    await session.send('x');
    expect(await next(session)).toBe('c(a(x))');
    control.setNodeState('b', 'disabled');
    const tap = control.subscribe('a.out');
    await session.send('y');
    expect(word(await tap.recv())).toBe('a(y)');
    await control.settled('b');
    control.clearNodeState('b');
    await session.send('z');
    expect(await next(session)).toBe('c(b(a(z)))');
  });

  it('ControlSession.intercept() passes, replaces and drops, and taps see the original (R89)', async () => {
    const { session, control } = await chain();
    const tap = control.subscribe('b.out');
    const intercept = control.intercept('b.out', 10_000);
    const decisions = (async () => {
      for (const decision of ['pass', 'replace', 'drop', 'pass'] as const) {
        const request = await intercept.recv();
        intercept.complete(request?.correlationId ?? 0, decision, { type: 'text', data: 'r' });
      }
      intercept.close();
    })();
    for (const text of ['x', 'y', 'gone', 'z']) await session.send(text);
    expect([await next(session), await next(session), await next(session)]).toEqual([
      'c(b(a(x)))',
      'c(r)',
      'c(b(a(z)))',
    ]);
    await decisions;
    expect((await tap.drain()).map(word)).toEqual(['b(a(x))', 'b(a(y))', 'b(a(gone))', 'b(a(z))']);
  });

  it('ControlSession.intercept() lets a value pass at its deadline, with a warning (R89)', async () => {
    const { session, control } = await chain();
    const intercept = control.intercept('b.out', 5);
    await session.send('x');
    expect(await next(session)).toBe('c(b(a(x)))');
    expect(session.warnings).toEqual(["No decision about 'b.out' within 5 ms, the value passed"]);
    expect(intercept.complete(1, 'drop')).toBe(false);
    expect(() => control.intercept('b.out')).toThrow('has an intercept already');
  });

  it('Subscription marks a loss with null and keeps the newest values (R90)', async () => {
    const { session, control } = await chain();
    const tap = control.subscribe('a.out');
    const sending = session.send(Array.from({ length: 2000 }, (_, n) => n).join(' '));
    for (let n = 0; n < 2000; n += 1) await next(session);
    await sending;
    const read = await tap.drain();
    expect(read[0]).toBeNull();
    expect(read.slice(1).map(word)).toEqual(Array.from({ length: 1024 }, (_, n) => `a(${n + 976})`));
    expect(tap.lost).toBe(976);
  });

  it('ControlSession.node() awaits replies, with arguments of both sorts (R70)', async () => {
    const { control, calls } = await chain();
    const { a } = { a: control.node('a') };
    expect(await a['echo']?.(1, 'two')).toEqual([[1, 'two'], {}]);
    expect(await a['echo']?.invoke({ args: [1], kwargs: { k: 2 } })).toEqual([[1], { k: 2 }]);
    expect(calls).toEqual(['echo reply test:1', 'echo reply test:2']);
    expect(control.published('a.in.__rpc_meta__')).toBe(1);
    expect(control.published('a.in.echo')).toBe(2);
  });

  it('ControlSession.node() skips the question for the mode when the caller knows it (R70)', async () => {
    const { control, calls } = await chain();
    expect(await control.node('a')['note']?.options({ mode: 'ff' })('x')).toBeUndefined();
    expect(calls).toEqual(['note ff null']);
    expect(control.published('a.in.__rpc_meta__')).toBe(0);
  });

  it('ControlSession.node() rejects with the text of the author, and for awaited streams (R70)', async () => {
    const { control } = await chain();
    const node = control.node('a');
    await expect(node['bad']?.()).rejects.toMatchObject({ name: 'RpcError', message: 'ValueError: bad' });
    await expect(node['count']?.(1)).rejects.toMatchObject({ name: 'RpcError' });
  });

  it('ControlSession.node() streams, and leaving early publishes exactly one cancel (R70)', async () => {
    const { control } = await chain();
    const node = control.node('a');
    const values: unknown[] = [];
    for await (const value of node['count']!(3)) values.push(value);
    expect(values).toEqual([0, 1, 2]);
    expect(control.published('a.in.count.__cancel__')).toBe(0);
    for await (const value of node['count']!(1000)) if (value === 1) break;
    expect(control.published('a.in.count.__cancel__')).toBe(1);
    await node['count']!(1000)[Symbol.asyncIterator]().return?.();
    expect(control.published('a.in.count')).toBe(2);
    expect(control.published('a.in.count.__cancel__')).toBe(1);
  });

  it('ControlSession.node() ends an aborted stream quietly, with one cancel (R70)', async () => {
    const { control } = await chain();
    const abort = new AbortController();
    const values: unknown[] = [];
    for await (const value of control.node('a')['count']!.options({ signal: abort.signal })(1000)) {
      values.push(value);
      if (value === 2) abort.abort();
    }
    expect(values.slice(0, 3)).toEqual([0, 1, 2]);
    expect(control.published('a.in.count.__cancel__')).toBe(1);
  });

  it('DeferredCall can be used once, and an aborted one rejects with an AbortError', async () => {
    const { control } = await chain();
    const call = control.node('a')['echo']!();
    await call;
    expect(() => call[Symbol.asyncIterator]()).toThrow('has been made already');
    const aborted = control.node('a')['echo']!.options({ signal: AbortSignal.abort() })();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('ControlSession is gone with its session', async () => {
    const { session, control } = await chain();
    const tap = control.subscribe('a.out');
    const waiting = tap.recv();
    await Promise.all([expect(waiting).rejects.toMatchObject({ name: 'SessionNotFoundError' }), session.close()]);
    expect(() => control.subscribe('a.out')).toThrow(expect.objectContaining({ name: 'SessionNotFoundError' }));
  });
});
