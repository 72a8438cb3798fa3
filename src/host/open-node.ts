import type { PipelineManifest } from '../pipeline-manifest.ts';
import { sessionNode, type PipelineNode } from '../pipeline/pipeline-node.ts';
import { startPipeline, type NodeContext } from '../pipeline/start-pipeline.ts';
import type { PipelineSession } from '../pipeline/pipeline-session.ts';
import { startResident } from '../plugin/resident-session.ts';
import type { JsonObject, PythonNeeds } from '../plugin-spec.ts';
import { forwardEvent } from './forward-event.ts';
import type { HostContext } from './host-context.ts';
import type { LoadOptions } from './load-options.ts';
import type { ReadPlugin } from './read-plugin.ts';
import { provision } from './provision-plugin.ts';

/** One node of one plugin, to be run in a process of its own. */
export interface NodeOpening {
  readonly plugin: ReadPlugin;
  readonly options: LoadOptions;
  /** Node type. */
  readonly node: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** What it needs from Python in place of the plugin's own needs, where a pipeline adds to them. */
  readonly python?: PythonNeeds;
  /** @default node */
  readonly nodeId?: string;
}

/** Opens one node as a session: a pipeline of one. */
export async function openNode(
  context: HostContext,
  opening: NodeOpening,
  signal?: AbortSignal,
): Promise<PipelineSession> {
  const { node } = opening;
  const params = opening.params as JsonObject;
  const graph: PipelineManifest = {
    name: node,
    version: 'v1',
    nodes: [{ id: node, nodeType: node, params, isOutputNode: true, isFastPath: false, pythonDeps: [] }],
    connections: [],
    plugins: [],
    python: { extraDeps: [] },
    findings: [],
  };
  return startPipeline(graph, {
    createNode: (_, node) => startNode(context, opening, node),
    ...(signal && { signal }),
  });
}

/** Starts the process of one node. */
export async function startNode(
  context: HostContext,
  opening: NodeOpening,
  within: NodeContext,
): Promise<PipelineNode> {
  const { plugin, node, nodeId = node, options } = opening;
  const { conversation, pipelines } = plugin.format;
  if (conversation.kind !== 'resident') throw new TypeError(`Plugins of format '${plugin.format.name}' have no nodes`);
  const begun = performance.now();
  const { spec: own, plan: planned } = plugin.planned;
  const spec = opening.python === undefined ? own : { ...own, python: opening.python };
  const plan = opening.python === undefined ? planned : await provision(context, spec, options);
  const params = opening.params as JsonObject;
  const { sessionId } = within;
  const config = pipelines?.nodeConfiguration({ nodeType: node, nodeId, sessionId, params }) ?? params;
  const session = await startResident({
    spec,
    plan,
    conversation,
    request: { config, ...(options.strict !== undefined && { strict: options.strict }) },
    startChild: context.launcher.resident,
    readyTimeoutMs: options.readyTimeoutMs ?? context.options.readyTimeoutMs,
    signal: within.signal,
    onEvent: (event) => {
      within.onEvent(event);
      forwardEvent(context, spec.id, event);
    },
  });
  context.events.emit('load', { plugin: spec.id, pid: session.pid, durationMs: performance.now() - begun });
  return sessionNode(session);
}
