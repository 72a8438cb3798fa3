/**
 * The inside of a running pipeline: which output goes where.
 *
 * Invariants: taps see a value before an intercept can change it; a value is handed to every successor and to the client in
 * one go, and the node that made it goes on when all of them have taken it (R35, R43); order per edge is kept (R39).
 */
import type { ManifestNode } from '../pipeline-manifest.ts';
import type { RuntimeData } from '../runtime-data.ts';
import type { ControlBus } from './control-bus.ts';
import { envelopeOf, REPLY_PORT } from './envelope.ts';
import type { PipelineGraph } from './graph.ts';
import { NodeRuntime, type RuntimeHooks } from './node-runtime.ts';
import type { PipelineNode } from './pipeline-node.ts';

/** What a router needs of its session. */
export interface RouterOptions {
  readonly nodes: readonly ManifestNode[];
  readonly graph: PipelineGraph;
  readonly bus: ControlBus;
  /** Milliseconds of work per input. */
  readonly timeoutMs: number;
  /** Inputs that wait before a node. */
  readonly capacity: number;
  /** Whether envelopes of an author's own ports are data as well; those of replies never are. */
  readonly portsReachData: boolean;
  readonly restart?: ((node: string) => Promise<PipelineNode>) | undefined;
  /** Takes what reaches the client; a promise while there is no room. */
  readonly toClient: (node: string, turn: number, data: RuntimeData) => boolean | Promise<boolean>;
  readonly hooks: Omit<RuntimeHooks, 'emit'>;
}

/** One node with its edges. */
interface Place {
  readonly runtime: NodeRuntime;
  readonly in: string;
  readonly out: string;
  readonly isOutput: boolean;
  readonly successors: Place[];
  /** Edges into it whose other end can still put something out. */
  feeds: number;
}

/** The nodes of one session and the edges between them. */
export class PipelineRouter {
  readonly #options: RouterOptions;
  readonly #places = new Map<string, Place>();
  readonly #sources: readonly Place[];

  constructor(options: RouterOptions, nodes: ReadonlyMap<string, PipelineNode>) {
    this.#options = options;
    for (const node of options.nodes) this.#places.set(node.id, this.#makePlace(node, nodes));
    for (const [id, place] of this.#places) {
      for (const next of options.graph.successors.get(id) ?? []) place.successors.push(this.#place(next));
    }
    this.#sources = options.graph.sources.map((id) => this.#place(id));
  }

  get runtimes(): readonly NodeRuntime[] {
    return [...this.#places.values()].map((place) => place.runtime);
  }

  /** The runtime of a node that is known to exist. */
  runtime(node: string): NodeRuntime {
    return this.#place(node).runtime;
  }

  /** Runs every node until nothing can come out any more. */
  async run(): Promise<void> {
    await Promise.all([...this.#places.values()].map((place) => this.#runPlace(place)));
  }

  /** Hands an input to one node, or to every source; false when one of them takes no more. */
  async send(data: RuntimeData, node?: string): Promise<boolean> {
    const places = node === undefined ? this.#sources : [this.#place(node)];
    const accepted = await Promise.all(places.map(async (place) => this.#accept(place, data)));
    return !accepted.includes(false);
  }

  /** No more inputs for the sources; those behind them end when they have. */
  inputComplete(): void {
    for (const source of this.#sources) source.runtime.inputComplete();
  }

  async #runPlace(place: Place): Promise<void> {
    await place.runtime.run();
    for (const next of place.successors) {
      next.feeds -= 1;
      if (next.feeds === 0) next.runtime.inputComplete();
    }
  }

  #makePlace(node: ManifestNode, nodes: ReadonlyMap<string, PipelineNode>): Place {
    const { graph, timeoutMs, capacity, restart, hooks } = this.#options;
    const made = nodes.get(node.id);
    if (made === undefined) throw new TypeError(`Node '${node.id}' was not created`);
    const options = {
      timeoutMs: node.isFastPath ? Infinity : timeoutMs,
      capacity,
      restart: restart && (() => restart(node.id)),
    };
    const emit: RuntimeHooks['emit'] = (turn, data) => this.#emit(place, turn, data);
    const place: Place = {
      runtime: new NodeRuntime(node.id, made, { hooks: { ...hooks, emit }, options }),
      in: `${node.id}.in`,
      out: `${node.id}.out`,
      isOutput: graph.outputs.has(node.id),
      successors: [],
      feeds: graph.feeds.get(node.id) ?? 0,
    };
    return place;
  }

  #emit(place: Place, turn: number, data: RuntimeData): Promise<unknown> | undefined {
    const { bus } = this.#options;
    const envelope = envelopeOf(data);
    if (envelope !== undefined) {
      bus.tap(`${place.out}.${envelope.port}`, { type: 'json', value: envelope.payload });
      // R91: replies of remote calls are not data.
      if (envelope.port === REPLY_PORT || !this.#options.portsReachData) return undefined;
    }
    bus.tap(place.out, data);
    const address = envelope === undefined ? place.out : `${place.out}.${envelope.port}`;
    const intercept = bus.hasIntercepts ? bus.interceptAt(address) : undefined;
    if (intercept === undefined) return this.#deliver(place, turn, data);
    return intercept
      .ask(data)
      .then((decided) => (decided === undefined ? undefined : this.#deliver(place, turn, decided)));
  }

  #deliver(place: Place, turn: number, data: RuntimeData): Promise<unknown> | undefined {
    let blocked: Promise<unknown>[] | undefined;
    for (const next of place.successors) {
      const accepted = this.#accept(next, data);
      if (typeof accepted !== 'boolean') (blocked ??= []).push(accepted);
    }
    if (place.isOutput) {
      const accepted = this.#options.toClient(place.runtime.id, turn, data);
      if (typeof accepted !== 'boolean') (blocked ??= []).push(accepted);
    }
    return blocked === undefined ? undefined : Promise.all(blocked);
  }

  #accept(place: Place, data: RuntimeData): boolean | Promise<boolean> {
    const { bus } = this.#options;
    const intercept = bus.hasIntercepts ? bus.interceptAt(place.in) : undefined;
    if (intercept === undefined) return place.runtime.accept(data);
    return intercept.ask(data).then((decided) => decided === undefined || place.runtime.accept(decided));
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new TypeError(`There is no node '${id}'`);
    return place;
  }
}
