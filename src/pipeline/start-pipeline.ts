/** From a checked manifest to a running pipeline. */
import { randomUUID } from 'node:crypto';

import { CallError, CharmerError, PluginError } from '../errors.ts';
import { checkOptionNames } from '../nearest-name.ts';
import type { ManifestNode, PipelineManifest } from '../pipeline-manifest.ts';
import type { WorkerEvent } from '../plugin/plugin-session.ts';
import { ControlBus } from './control-bus.ts';
import { buildGraph } from './graph.ts';
import type { PipelineNode } from './pipeline-node.ts';
import { type ErrorPolicy, PipelineSession } from './pipeline-session.ts';
import { SessionEventHub } from './session-events.ts';

/** What a node is made with. */
export interface NodeContext {
  readonly sessionId: string;
  /** Aborts when another node could not be made, or the caller gave up. */
  readonly signal: AbortSignal;
  /** Takes the node's events from its very start on; do not attach it again afterwards. */
  readonly onEvent: (event: WorkerEvent) => void;
}

/** Options of `startPipeline`. */
export interface PipelineOptions {
  /** Makes one node; resolves when it is ready. Called for all nodes at once. */
  readonly createNode: (node: ManifestNode, context: NodeContext) => Promise<PipelineNode>;
  /** @default a new unique id (R92) */
  readonly sessionId?: string | undefined;
  /** Gives up the start; a running session is ended by `close()`. */
  readonly signal?: AbortSignal | undefined;
  /** How errors of turns reach the caller. @default 'items' */
  readonly errors?: ErrorPolicy | undefined;
  /** Milliseconds of work per input, without the time in which the node waits for its consumers. @default 30000 */
  readonly nodeTimeoutMs?: number | undefined;
  /** Inputs that wait before every node. @default 16 */
  readonly nodeCapacity?: number | undefined;
  /** Outputs that wait for the client. @default 256 */
  readonly outputCapacity?: number | undefined;
  /** Whether a node whose process died is made anew for its next input (R78). @default false */
  readonly restart?: boolean | undefined;
  /** Whether what an author sends to ports of its own reaches the data stream beside their taps. @default true */
  readonly portsReachData?: boolean | undefined;
  /** Whether those who listen late get the progress told before. @default true */
  readonly replaysSystem?: boolean | undefined;
  /** Warnings known before the start, beside the manifest's own. */
  readonly warnings?: readonly string[] | undefined;
}

const OPTION_NAMES: readonly string[] = [
  'createNode',
  'sessionId',
  'signal',
  'errors',
  'nodeTimeoutMs',
  'nodeCapacity',
  'outputCapacity',
  'restart',
  'portsReachData',
  'replaysSystem',
  'warnings',
] satisfies readonly (keyof PipelineOptions)[];

/** The original's limit for one input. */
const NODE_TIMEOUT_MS = 30_000;
/** The original's queue lengths: enough to keep nodes busy, few enough to feel a slow consumer. */
const NODE_CAPACITY = 16;
const OUTPUT_CAPACITY = 256;

/**
 * Starts all nodes at once and hands back the session when every one of them is ready. When one fails, the others are
 * closed and its error is thrown.
 *
 * @throws PipelineError `GRAPH_CYCLE`
 * @throws whatever `createNode` throws, with the node's id in `details.node`
 * @throws the signal's reason, untouched
 */
export async function startPipeline(manifest: PipelineManifest, options: PipelineOptions): Promise<PipelineSession> {
  checkOptionNames(options, OPTION_NAMES, 'pipeline');
  options.signal?.throwIfAborted();
  const start = new PipelineStart(manifest, options);
  const nodes = await start.createAll();
  return start.open(nodes);
}

/** One start: what is there before the session is. */
class PipelineStart {
  readonly #manifest: PipelineManifest;
  readonly #options: PipelineOptions;
  readonly #id: string;
  readonly #graph: ReturnType<typeof buildGraph>;
  readonly #events = new SessionEventHub();
  readonly #bus: ControlBus;
  readonly #abort = new AbortController();
  /** Set once there is one: events that ask for an action wait for it. */
  #session: PipelineSession | undefined;
  readonly #early: (() => void)[] = [];

  constructor(manifest: PipelineManifest, options: PipelineOptions) {
    this.#manifest = manifest;
    this.#options = options;
    this.#id = options.sessionId ?? `session_${randomUUID()}`;
    this.#graph = buildGraph(manifest);
    this.#bus = new ControlBus({
      nodeIds: manifest.nodes.map((node) => node.id),
      warn: (message, node) => this.#events.warn(message, node),
      replaysSystem: options.replaysSystem ?? true,
    });
    for (const finding of manifest.findings) this.#events.warn(finding.message);
    for (const warning of options.warnings ?? []) this.#events.warn(warning);
  }

  /** Every node, or the first error once all others are gone. */
  async createAll(): Promise<ReadonlyMap<string, PipelineNode>> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#abort.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#progress('initializing', `Starting ${this.#manifest.nodes.length} nodes`);
    try {
      const created = this.#manifest.nodes.map((node) => this.#createNoted(node));
      return new Map(await this.#allOrNothing(created));
    } catch (error) {
      this.#progress('error', error instanceof Error ? error.message : String(error));
      this.#bus.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  open(nodes: ReadonlyMap<string, PipelineNode>): PipelineSession {
    const { errors = 'items', nodeTimeoutMs = NODE_TIMEOUT_MS } = this.#options;
    const { nodeCapacity = NODE_CAPACITY, outputCapacity = OUTPUT_CAPACITY } = this.#options;
    const byId = new Map(this.#manifest.nodes.map((node) => [node.id, node]));
    const session = new PipelineSession(
      {
        ...{ id: this.#id, manifest: this.#manifest, graph: this.#graph, events: this.#events, bus: this.#bus },
        ...{ errors, nodeTimeoutMs, nodeCapacity, outputCapacity },
        portsReachData: this.#options.portsReachData ?? true,
        restart: this.#options.restart === true ? (id) => this.#again(byId.get(id)) : undefined,
      },
      nodes,
    );
    this.#session = session;
    this.#progress('ready', 'The pipeline is ready');
    for (const act of this.#early.splice(0)) act();
    return session;
  }

  async #createNoted(node: ManifestNode): Promise<readonly [string, PipelineNode]> {
    this.#progress('loading_node', `Starting node '${node.id}'`, node.id);
    try {
      const created = await this.#create(node, this.#abort.signal);
      this.#progress('node_ready', `Node '${node.id}' is ready`, node.id);
      return [node.id, created];
    } catch (error) {
      // The first failure aborts the others with itself: it stays the fault of the node that it is from.
      if (error instanceof CharmerError && error !== this.#abort.signal.reason) {
        Object.assign(error, { details: { ...error.details, node: node.id } });
      }
      this.#abort.abort(error);
      throw error;
    }
  }

  async #allOrNothing(
    created: readonly Promise<readonly [string, PipelineNode]>[],
  ): Promise<readonly (readonly [string, PipelineNode])[]> {
    const results = await Promise.allSettled(created);
    if (!this.#abort.signal.aborted) {
      return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    }
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value[1]] : []));
    await Promise.all(made.map((node) => node.close()));
    throw this.#abort.signal.reason;
  }

  #create(node: ManifestNode, signal: AbortSignal): Promise<PipelineNode> {
    const onEvent = (event: WorkerEvent): void => this.#tell(node.id, event);
    return this.#options.createNode(node, { sessionId: this.#id, signal, onEvent });
  }

  #again(node: ManifestNode | undefined): Promise<PipelineNode> {
    if (node === undefined) return Promise.reject(new CallError('PLUGIN_EXITED', 'The node is gone'));
    return this.#create(node, new AbortController().signal);
  }

  #progress(status: string, message: string, node?: string): void {
    this.#bus.progress({ kind: 'loading', status, message, ...(node === undefined ? {} : { node }) });
  }

  /** What a node tells: some of it is told on, some of it asks the session to act. */
  #tell(node: string, event: WorkerEvent): void {
    const { status, message, stream, line } = event;
    if (event.type === 'progress') {
      const [what, words] = [text(status), text(message)];
      this.#events.emit('progress', { node, status: what, message: words });
      this.#progress(what, words, node);
    } else if (event.type === 'output' && (stream === 'stdout' || stream === 'stderr')) {
      this.#events.emit('output', { node, stream, line: text(line) });
    } else if (event.type === 'warning') this.#events.warn(text(message), node);
    else if (event.type === 'error') this.#events.emit('error', backgroundError(node, event));
    else if (this.#session !== undefined) this.#session.act(node, event);
    else this.#early.push(() => this.#session?.act(node, event));
  }
}

/** A failure that no call answers: of a fire-and-forget method, of `cleanup()`. */
function backgroundError(
  node: string,
  event: WorkerEvent,
): { node: string; turn: number; error: PluginError; phase: string } {
  const { plugin_code: pluginCode, message, traceback, phase } = event;
  const error = new PluginError(text(message), {
    pluginCode: text(pluginCode),
    ...(typeof traceback === 'string' ? { traceback } : {}),
    details: { node, phase },
  });
  return { node, turn: 0, error, phase: text(phase) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}
