import { describe, expect, it } from 'vitest';

import { PluginError } from '../errors.ts';
import type { ManifestNode, PipelineManifest } from '../pipeline-manifest.ts';
import type { WorkerEvent } from '../plugin/plugin-session.ts';
import type { RuntimeData } from '../runtime-data.ts';
import type { PipelineNode } from './pipeline-node.ts';
import type { PipelineOutput, PipelineSession } from './pipeline-session.ts';
import { type NodeContext, type PipelineOptions, startPipeline } from './start-pipeline.ts';

type Behaviour = (text: string, signal: AbortSignal, id: string) => AsyncIterable<string>;
const say = (data: string): RuntimeData => ({ type: 'text', data });

/** Node types of these tests: what a node does with a text. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  tag: async function* (text, _, id) {
    yield `${id}(${text})`;
  },
  split: async function* (text) {
    yield* text.split(' ').filter((word) => word !== '');
  },
  fails: async function* (text) {
    if (text.includes('bad')) throw new PluginError('refused', { pluginCode: 'ValueError' });
    yield text;
  },
  hangs: async function* (text, signal) {
    yield `${text}0`;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  },
  emits: async function* () {
    yield '{"__aux_port__": "side", "payload": {"n": 1}}';
    yield '{"__aux_port__": "__reply__", "payload": {"corr_id": "x"}}';
    yield 'main';
  },
};

class MemoryNode implements PipelineNode {
  readonly id: string;
  readonly exited: Promise<undefined>;
  isClosed = false;
  readonly messages: unknown[] = [];
  end: () => void = () => undefined;
  readonly #behaviour: Behaviour;

  constructor(node: ManifestNode) {
    this.id = node.id;
    this.#behaviour = BEHAVIOURS[node.nodeType]!;
    this.exited = new Promise((resolve) => (this.end = () => resolve(undefined)));
  }

  async *turn(input: RuntimeData, { signal }: { signal: AbortSignal }): AsyncGenerator<RuntimeData> {
    if (input.type !== 'text') throw new TypeError('texts only');
    for await (const text of this.#behaviour(input.data, signal, this.id)) yield say(text);
  }

  async *aux(port: string, payload: unknown): AsyncGenerator<RuntimeData> {
    this.messages.push([port, payload]);
    if (port === 'loud') yield say(`heard ${JSON.stringify(payload)}`);
  }

  onEvent(): () => void {
    return () => undefined;
  }

  async close(): Promise<undefined> {
    this.isClosed = true;
    this.end();
  }
}

interface Running {
  readonly session: PipelineSession;
  readonly nodes: ReadonlyMap<string, MemoryNode>;
  readonly tell: (node: string, event: WorkerEvent) => void;
}

/** `a:tag b:tag` and `a>b`. */
async function start(nodes: string, edges = '', options: Partial<PipelineOptions> = {}): Promise<Running> {
  const made = new Map<string, MemoryNode>();
  const contexts = new Map<string, NodeContext>();
  const createNode = async (node: ManifestNode, context: NodeContext): Promise<MemoryNode> => {
    const memory = new MemoryNode(node);
    made.set(node.id, memory);
    contexts.set(node.id, context);
    return memory;
  };
  const session = await startPipeline(manifest(nodes, edges), { createNode, ...options });
  return { session, nodes: made, tell: (node, event) => contexts.get(node)?.onEvent(event) };
}

function manifest(nodes: string, edges: string): PipelineManifest {
  const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
  return {
    name: 'test',
    version: 'v1',
    nodes: words(nodes).map((word) => {
      const [id = '', nodeType = '', mark] = word.split(':');
      return { id, nodeType, params: {}, isOutputNode: mark === 'out', isFastPath: mark === 'fast', pythonDeps: [] };
    }),
    connections: words(edges).map((edge) => ({ from: edge.split('>')[0] ?? '', to: edge.split('>')[1] ?? '' })),
    plugins: [],
    python: { extraDeps: [] },
    findings: [],
  };
}

async function run(running: Running, ...inputs: string[]): Promise<string[]> {
  for (const input of inputs) await running.session.send(input);
  await running.session.inputComplete();
  const outputs: string[] = [];
  for await (const output of running.session) outputs.push(shown(output));
  return outputs;
}

function shown(output: PipelineOutput | undefined): string {
  if (output === undefined) return 'end';
  if (output.error !== undefined) return `${output.node}#${output.turn}: ${output.error.message}`;
  return output.data?.type === 'text' ? output.data.data : output.kind;
}

describe('PipelineSession', () => {
  it('PipelineSession lets only sinks reach the client, in order (R38, R39)', async () => {
    expect(await run(await start('a:tag b:tag c:tag', 'a>b b>c'), 'x', 'y')).toEqual(['c(b(a(x)))', 'c(b(a(y)))']);
  });

  it('PipelineSession hands every output to each successor, once per listed edge (R35)', async () => {
    const outputs = await run(await start('a:tag b:tag c:tag', 'a>b a>c a>c'), 'x');
    expect(outputs.sort()).toEqual(['b(a(x))', 'c(a(x))', 'c(a(x))']);
  });

  it('PipelineSession sends inputs to all sources and joins nothing (R36, R37)', async () => {
    const outputs = await run(await start('a:tag b:tag n:tag', 'a>n b>n'), 'x');
    expect(outputs.sort()).toEqual(['n(a(x))', 'n(b(x))']);
  });

  it('PipelineSession delivers the outputs of a marked node too (R46)', async () => {
    expect((await run(await start('a:tag:out b:tag', 'a>b'), 'x')).sort()).toEqual(['a(x)', 'b(a(x))']);
  });

  it('PipelineSession gives one frame per yield and lives on after a turn without any (R40, R41)', async () => {
    expect(await run(await start('s:split t:tag', 's>t'), 'one two', '', 'x')).toEqual(['t(one)', 't(two)', 't(x)']);
  });

  it('PipelineSession tells errors with node and input number, and goes on (R42)', async () => {
    const running = await start('a:tag e:fails', 'a>e');
    const events: unknown[] = [];
    running.session.on('error', ({ node, turn, error }) => events.push([node, turn, error.details]));
    expect(await run(running, 'x', 'bad', 'z')).toEqual(['a(x)', 'e#2: refused', 'a(z)']);
    expect(events).toEqual([['e', 2, { node: 'e', input: 2 }]]);
  });

  it('PipelineSession can be silent about errors, or throw them and go on (R42)', async () => {
    expect(await run(await start('e:fails', '', { errors: 'silent' }), 'bad', 'x')).toEqual(['x']);
    const { session } = await start('e:fails', '', { errors: 'throw' });
    await session.send('bad');
    await session.send('x');
    await expect(session.receive()).rejects.toThrow('refused');
    expect(shown(await session.receive())).toBe('x');
  });

  it('PipelineSession makes senders wait for a consumer that does not read (R43)', async () => {
    const { session } = await start('a:tag', '', { nodeCapacity: 1, outputCapacity: 1 });
    const accepted: number[] = [];
    const sends = Array.from({ length: 6 }, (_, n) => session.send(String(n)).then(() => accepted.push(n)));
    while (session.stats()['a']?.queueDepth !== 4) await new Promise((resolve) => setImmediate(resolve));
    expect(accepted.length).toBeLessThan(6);
    const outputs: string[] = [];
    for (let n = 0; n < 6; n += 1) outputs.push(shown(await session.receive()));
    expect(outputs).toEqual(['a(0)', 'a(1)', 'a(2)', 'a(3)', 'a(4)', 'a(5)']);
    await Promise.all(sends);
  });

  it('PipelineSession ends a turn that takes too long with a typed error (R44)', async () => {
    const { session } = await start('h:hangs', '', { nodeTimeoutMs: 20 });
    await session.send('t');
    expect(shown(await session.receive())).toBe('t0');
    const failed = await session.receive();
    expect(failed?.error).toMatchObject({ code: 'CALL_TIMEOUT', details: { node: 'h', input: 1 } });
  });

  it('PipelineSession cancels a turn without an error and frees the next one (R72)', async () => {
    const { session } = await start('h:hangs');
    await session.send('t');
    await session.send('u');
    expect(shown(await session.receive())).toBe('t0');
    await session.control().cancelTurn('h');
    expect(shown(await session.receive())).toBe('u0');
    await session.close();
  });

  it('PipelineSession shows envelopes on their taps, and keeps replies out of the data (R68, R91)', async () => {
    const running = await start('e:emits');
    const side = running.session.control().subscribe('e.out.side');
    expect(await run(running, 'x')).toEqual(['{"__aux_port__": "side", "payload": {"n": 1}}', 'main']);
    expect(await side.recv()).toEqual({ type: 'json', value: { n: 1 } });
  });

  it('PipelineSession keeps what goes to ports out of the data when asked to (R68)', async () => {
    expect(await run(await start('e:emits', '', { portsReachData: false }), 'x')).toEqual(['main']);
  });

  it('PipelineSession takes messages for ports from clients and from nodes (R68)', async () => {
    const { session, nodes, tell } = await start('a:tag b:tag', 'a>b');
    await session.send('hi', { node: 'b', port: 'context' });
    await session.send({ any: 1 }, { node: 'b', port: 'loud' });
    tell('a', { type: 'publish', target: 'b', port: 'context', payload: { text: 'from a' } });
    tell('a', { type: 'publish', target: 'ghost', port: 'context', payload: 1 });
    expect(shown(await session.receive())).toBe('heard {"any":1}');
    await session.control().settled('b');
    expect(nodes.get('b')?.messages).toEqual([
      ['context', { text: 'hi' }],
      ['loud', { any: 1 }],
      ['context', { text: 'from a' }],
    ]);
    expect(session.warnings).toEqual(["Node 'a' published to 'ghost.in.context', and there is no node 'ghost'"]);
    expect(session.control().published('b.in.context')).toBe(2);
  });

  it('PipelineSession.send() refuses after the end, and receive() has nothing for ever (R84)', async () => {
    const { session } = await start('a:tag');
    await session.send('x');
    await session.inputComplete();
    await expect(session.send('late')).rejects.toMatchObject({ code: 'HOST_CLOSED' });
    expect(shown(await session.receive())).toBe('a(x)');
    expect(await session.receive()).toBeUndefined();
    expect(await session.receive()).toBeUndefined();
    await session.close();
  });

  it('PipelineSession.close() is shared, ends those who wait, and closes every node (R79, R86)', async () => {
    const { session, nodes } = await start('a:tag h:hangs', 'a>h');
    await session.send('x');
    expect(shown(await session.receive())).toBe('a(x)0');
    const waiting = session.receive();
    expect(session.close()).toBe(session.close());
    expect(await waiting).toBeUndefined();
    expect((await session.close()).map(({ node }) => node).sort()).toEqual(['a', 'h']);
    expect([...nodes.values()].every((node) => node.isClosed)).toBe(true);
    expect(session.state).toBe('closed');
    await expect(session.send('x')).rejects.toThrow('closed');
  });

  it('PipelineSession answers for a node that died, tells of it once, and others live (R78)', async () => {
    const { session, nodes } = await start('a:tag b:tag');
    const ended: unknown[] = [];
    session.on('node-ended', ({ node }) => ended.push(node));
    nodes.get('a')?.end();
    await nodes.get('a')?.exited;
    await session.send('x');
    const outputs = [shown(await session.receive()), shown(await session.receive())].sort();
    expect(outputs).toEqual(["a#1: Node 'a' has ended", 'b(x)']);
    expect(ended).toEqual(['a']);
  });

  it('PipelineSession makes a dead node anew when asked to (R78)', async () => {
    const { session, nodes } = await start('a:tag', '', { restart: true });
    const first = nodes.get('a');
    first?.end();
    await first?.exited;
    await session.send('x');
    expect(shown(await session.receive())).toBe('a(x)');
    expect(nodes.get('a')).not.toBe(first);
    expect(session.stats()['a']?.restarts).toBe(1);
  });

  it('PipelineSession ids are unique (R92)', async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => start('a:tag')));
    expect(new Set(sessions.map(({ session }) => session.id)).size).toBe(50);
  });

  it('PipelineSession counts turns, failures and outputs per node', async () => {
    const running = await start('s:split e:fails', 's>e');
    await run(running, 'a bad c', 'd');
    expect(running.session.stats()).toMatchObject({
      s: { turns: 2, failed: 0, outputs: 4 },
      e: { turns: 4, failed: 1, outputs: 3 },
    });
  });
});

describe('startPipeline()', () => {
  it('startPipeline() closes the other nodes when one fails, and says which did', async () => {
    const made: MemoryNode[] = [];
    const createNode = async (node: ManifestNode, { signal }: NodeContext): Promise<PipelineNode> => {
      if (node.id === 'bad') throw new PluginError('no', { pluginCode: 'ValueError' });
      if (node.id === 'slow')
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      made.push(new MemoryNode(node));
      return made[0]!;
    };
    const starting = startPipeline(manifest('good:tag slow:tag bad:tag', ''), { createNode });
    await expect(starting).rejects.toMatchObject({ message: 'no', details: { node: 'bad' } });
    expect(made.map((node) => node.isClosed)).toEqual([true]);
  });

  it('startPipeline() rejects with the reason of its signal, untouched', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const createNode = (_: ManifestNode, { signal }: NodeContext): Promise<PipelineNode> =>
      new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const starting = startPipeline(manifest('a:tag', ''), { createNode, signal: abort.signal });
    abort.abort(reason);
    await expect(starting).rejects.toBe(reason);
  });

  it('startPipeline() names the nearest option for an unknown one', async () => {
    const options = { createNode: () => Promise.reject(new Error('never')), nodeTimoutMs: 1 };
    await expect(startPipeline(manifest('a:tag', ''), options)).rejects.toThrow("did you mean 'nodeTimeoutMs'?");
  });

  it('startPipeline() tells its progress, also to those who listen late (R47)', async () => {
    const { session, tell } = await start('a:tag');
    tell('a', { type: 'progress', status: 'downloading', message: '50 %' });
    const events = await session.control().subscribe('__system__.out').drain();
    const values = events.map((event) => (event?.type === 'json' ? event.value : undefined));
    expect(values).toMatchObject([
      { kind: 'loading', status: 'initializing' },
      { kind: 'loading', status: 'loading_node', node: 'a' },
      { kind: 'loading', status: 'node_ready', node: 'a' },
      { kind: 'loading', status: 'ready' },
      { kind: 'loading', status: 'downloading', message: '50 %', node: 'a' },
    ]);
  });
});
