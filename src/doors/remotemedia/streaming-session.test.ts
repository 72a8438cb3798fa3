import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { createHost, type Host } from '../../index.ts';
import {
  attachInproc,
  createStreamingSession,
  Data,
  executePipeline,
  InterceptDecision,
  NapiRuntimeData,
  NodeState,
  type StreamingSession,
} from '../remotemedia.ts';

const cases = join(import.meta.dirname, '../../../fixtures/conformance/remotemedia');
const open: (StreamingSession | Host)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

function pipeline(plugin: string, nodeType: string, params: object = {}): string {
  return JSON.stringify({
    ...{ version: 'v1', metadata: {}, connections: [], plugins: [`./plugins/${plugin}`] },
    nodes: [{ id: 'n', node_type: nodeType, params }],
  });
}

async function start(manifest: string): Promise<StreamingSession> {
  const session = await createStreamingSession(manifest, { baseDir: cases });
  open.push(session);
  return session;
}

describe('createStreamingSession()', () => {
  it('createStreamingSession() runs the first flow of the original (R83, R84, R85)', async () => {
    const session = await start(pipeline('echo', 'EchoPythonNode'));
    await session.sendInput({ type: 'text', data: 'hi' });
    await session.sendInput(NapiRuntimeData.audio([0, 1], 16000));
    await session.signalInputComplete();
    expect(await session.recvData()).toEqual({ type: 'text', data: 'echo: hi' });
    expect(await session.recvOutput()).toMatchObject({ kind: 'data', node: 'n', turn: 2 });
    expect(await session.recvData()).toBeNull();
    expect(await session.recvAudio()).toBeNull();
    await expect(session.sendInput('late')).rejects.toThrow('Input channel closed');
  });

  it('StreamingSession lets readers of one kind leave the others to their own readers', async () => {
    const session = await start(pipeline('plain-classes', 'PlainNest'));
    const first = session.recvAudio();
    const second = session.recvData();
    await session.sendInput('x');
    expect(await second).toMatchObject({ type: 'json' });
    await session.signalInputComplete();
    expect(await first).toBeNull();
  });

  it('StreamingSession rejects a reader with the error of a turn, and goes on (R42)', async () => {
    const session = await start(pipeline('error-nth', 'ErrorOnNth', { n: 2 }));
    for (const text of ['a', 'b', 'c']) await session.sendInput(text);
    expect(await session.recvData()).toEqual({ type: 'text', data: '1:a' });
    const place = { details: { node: 'n', input: 2 } };
    await expect(session.recvData()).rejects.toMatchObject({ pluginCode: 'ValueError', ...place });
    expect(await session.recvData()).toEqual({ type: 'text', data: '3:c' });
  });

  it('executePipeline() takes every input and gives every output (R93)', async () => {
    const host = createHost();
    open.push(host);
    const result = await executePipeline(pipeline('multi', 'Repeat'), ['a', 'b'], { baseDir: cases, host });
    expect(result.outputs.map(({ data }) => data.type === 'text' && data.data)).toEqual(['a#0', 'a#1', 'b#0', 'b#1']);
    expect([result.size, result.has('n'), result.get('n')]).toEqual([1, true, { type: 'text', data: 'a#0' }]);
    const byNode = await executePipeline(pipeline('multi', 'Upper'), { n: 'x' }, { baseDir: cases, host });
    expect(byNode.get('n')).toEqual({ type: 'text', data: 'X' });
  });
});

describe('attachInproc()', () => {
  it('attachInproc() calls methods of nodes by property (R70)', async () => {
    const session = await start(pipeline('rpc', 'RpcNode'));
    const control = attachInproc(session, { attachId: 'me' });
    await control['n']?.['set_context']?.('x');
    expect(await control['n']?.['get_context']?.()).toBe('x');
    const values: unknown[] = [];
    for await (const value of control.node('n')['count']!(3)) values.push(value);
    expect(values).toEqual([0, 1, 2]);
    const slow = control.node('n')['sleepy']!.options({ timeout: 50 })(5);
    await expect(slow).rejects.toMatchObject({ name: 'RpcTimeoutError' });
    expect([control.sessionId, control.attachId]).toEqual([session.sessionId, 'me']);
  });

  it('attachInproc() taps, publishes, intercepts and switches nodes (R87, R88, R89)', async () => {
    const session = await start(pipeline('echo', 'EchoPythonNode'));
    const control = session.control();
    const tap = await control.subscribe('n.out');
    const intercept = await control.intercept('n.out', 10_000);
    await control.publish('n.in', Data.fromText('x'));
    const request = await intercept.recv();
    await intercept.complete(request?.correlationId ?? 0, InterceptDecision.REPLACE, Data.fromJson({ a: 1 }));
    await intercept.close();
    expect((await tap.recv())?.textValue).toBe('echo: x');
    expect(await session.recvData()).toEqual({ type: 'json', value: { a: 1 } });
    await control.setNodeState('n', NodeState.BYPASS);
    await session.sendInput('y');
    expect(await session.recvData()).toEqual({ type: 'text', data: 'y' });
    await expect(control.subscribe('n.in')).rejects.toMatchObject({ name: 'ControlAddressError' });
    await session.close();
    expect(() => attachInproc(session)).toThrow(expect.objectContaining({ name: 'SessionNotFoundError' }));
  });

  it('Data refuses the getter of another kind', () => {
    expect(() => Data.fromText('x').jsonValue).toThrow("'json' was asked for");
    expect(Data.fromAudio(Float32Array.of(1), 8000).audioBuffer).toEqual(Buffer.from([0, 0, 128, 63]));
    expect(Data.fromJson([1]).asBuffer().toString()).toBe('[1]');
  });
});
