/** Nodes and edges → who feeds whom (spec 3.5). Pure. */
import { PipelineError } from '../errors.ts';
import { didYouMean } from '../nearest-name.ts';
import type { ManifestConnection, ManifestNode, PipelineManifest } from '../pipeline-manifest.ts';

/** The shape of a pipeline. */
export interface PipelineGraph {
  /** Ids in an order in which every node comes after those that feed it. */
  readonly order: readonly string[];
  /** Nodes that nothing feeds: every input of the client goes to all of them (R37). */
  readonly sources: readonly string[];
  /** Nodes whose outputs reach the client: those that feed nothing, and those marked as output nodes (R38, R46). */
  readonly outputs: ReadonlySet<string>;
  /** Whom a node feeds, once per listed edge (R35). */
  readonly successors: ReadonlyMap<string, readonly string[]>;
  /** How many edges feed a node. */
  readonly feeds: ReadonlyMap<string, number>;
}

/**
 * Sorts out a pipeline whose ids and endpoints are known to be sound.
 *
 * @throws PipelineError `GRAPH_CYCLE` that names the nodes of one cycle (R31)
 */
export function buildGraph(manifest: Pick<PipelineManifest, 'nodes' | 'connections'>): PipelineGraph {
  const ids = manifest.nodes.map((node) => node.id);
  const successors = new Map<string, string[]>(ids.map((id) => [id, []]));
  const feeds = new Map<string, number>(ids.map((id) => [id, 0]));
  for (const { from, to } of manifest.connections) {
    successors.get(from)?.push(to);
    feeds.set(to, (feeds.get(to) ?? 0) + 1);
  }
  const order = topologicalOrder(ids, successors, feeds);
  if (order.length < ids.length) throw cycleError(ids, order, manifest.connections);
  const isOutput = (node: ManifestNode): boolean => node.isOutputNode || successors.get(node.id)?.length === 0;
  return {
    order,
    sources: ids.filter((id) => feeds.get(id) === 0),
    outputs: new Set(manifest.nodes.filter(isOutput).map((node) => node.id)),
    successors,
    feeds,
  };
}

/** R31: the error for a node type that no plugin of the pipeline offers. */
export function unknownNodeType(node: ManifestNode, known: Iterable<string>): PipelineError {
  return new PipelineError('NODE_UNKNOWN', `Unknown node type '${node.nodeType}' for node '${node.id}'`, {
    hint: didYouMean(node.nodeType, known) ?? "List the plugin that has it in 'plugins'",
    operation: node.nodeType,
    details: { node: node.id },
  });
}

function topologicalOrder(
  ids: readonly string[],
  successors: ReadonlyMap<string, readonly string[]>,
  feeds: ReadonlyMap<string, number>,
): readonly string[] {
  const missing = new Map(feeds);
  const order = ids.filter((id) => missing.get(id) === 0);
  for (const id of order) {
    for (const next of successors.get(id) ?? []) {
      const left = (missing.get(next) ?? 0) - 1;
      missing.set(next, left);
      if (left === 0) order.push(next);
    }
  }
  return order;
}

/** Walks back from a node that could not be ordered: each such node is fed by another one, so the walk must close. */
function cycleError(
  ids: readonly string[],
  order: readonly string[],
  connections: readonly ManifestConnection[],
): PipelineError {
  const sorted = new Set(order);
  const feeder = new Map<string, string>();
  for (const { from, to } of connections) if (!sorted.has(from) && !sorted.has(to)) feeder.set(to, from);
  const walk: string[] = [];
  let id = ids.find((candidate) => feeder.has(candidate));
  while (id !== undefined && !walk.includes(id)) {
    walk.unshift(id);
    id = feeder.get(id);
  }
  const cycle = id === undefined ? walk : [id, ...walk.slice(0, walk.indexOf(id) + 1)];
  return new PipelineError('GRAPH_CYCLE', `Pipeline contains a cycle - cannot execute: '${cycle.join("' → '")}'`, {
    hint: 'Feed results back over the control bus instead',
  });
}
