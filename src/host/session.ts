import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { CharmerError, PipelineError } from '../errors.ts';
import type { PipelineReader, PluginFormat } from '../formats/format.ts';
import { didYouMean } from '../nearest-name.ts';
import type { ManifestNode, PipelineManifest } from '../pipeline-manifest.ts';
import { operationNode, type PipelineNode } from '../pipeline/pipeline-node.ts';
import type { PipelineSession } from '../pipeline/pipeline-session.ts';
import { startPipeline, type NodeContext } from '../pipeline/start-pipeline.ts';
import type { JsonValue, PluginSpec } from '../plugin-spec.ts';
import { environmentMode } from '../provision/environment-mode.ts';
import { authorize } from './authorize.ts';
import { formatNamed, type HostContext } from './host-context.ts';
import { loadPlugin } from './load.ts';
import type { LoadOptions } from './load-options.ts';
import { locatePlugin } from './locate-plugin.ts';
import { startNode } from './open-node.ts';
import type { ReadPlugin } from './read-plugin.ts';
import { provision } from './provision-plugin.ts';
import { readSpec } from './read-spec.ts';
import { parseSessionOptions, type SessionOptions } from './session-options.ts';
import { verify } from './verify.ts';

/** One pipeline on its way from a manifest to a running session. */
interface Starting {
  readonly context: HostContext;
  readonly reader: PipelineReader;
  readonly manifest: PipelineManifest;
  readonly options: SessionOptions;
  readonly baseDir: string;
  readonly sessionId: string;
  /** Plugins of the manifest by the node types that they offer; the last one listed wins. */
  readonly byNodeType: ReadonlyMap<string, ReadPlugin>;
}

/**
 * Starts a pipeline: manifest → plugins → nodes → session.
 *
 * @throws PipelineError `PIPELINE_INVALID`, `GRAPH_CYCLE`, `NODE_UNKNOWN`
 * @throws whatever loading a plugin or starting a node throws
 */
export async function startSession(
  context: HostContext,
  given: string | object,
  rawOptions: SessionOptions,
): Promise<PipelineSession> {
  const options = parseSessionOptions(rawOptions);
  const { reader } = pipelineFormat(context);
  const { manifest, baseDir } = await readManifest(reader, given, options);
  const sessionId = options.sessionId ?? `session-${randomUUID()}`;
  for (const finding of manifest.findings)
    context.events.emit('warning', { plugin: manifest.name, message: finding.message, finding });
  const { warning } = environmentMode(context.hostEnv());
  if (warning !== undefined) context.events.emit('warning', { plugin: manifest.name, message: warning });
  const byNodeType = await loadPlugins({ context, reader, manifest, options, baseDir });
  const starting: Starting = { context, reader, manifest, options, baseDir, sessionId, byNodeType };
  for (const node of manifest.nodes) checkNodeType(starting, node);
  return startPipeline(manifest, {
    sessionId,
    createNode: (node, within) => createNode(starting, node, within),
    ...(warning !== undefined && { warnings: [warning] }),
    ...reader.settings?.(context.hostEnv()),
    ...(options.errors && { errors: options.errors }),
    ...(options.nodeTimeoutMs !== undefined && { nodeTimeoutMs: options.nodeTimeoutMs }),
    ...(options.restart !== undefined && { restart: options.restart }),
    ...(options.portsReachData !== undefined && { portsReachData: options.portsReachData }),
    ...(options.signal && { signal: options.signal }),
  });
}

function pipelineFormat(context: HostContext): { format: PluginFormat; reader: PipelineReader } {
  for (const format of context.formats) if (format.pipelines !== undefined) return { format, reader: format.pipelines };
  throw new PipelineError('PIPELINE_INVALID', 'No format of this host reads pipeline manifests', {
    hint: 'Leave the host option formats out, or add one that does.',
  });
}

/** A path is read, and its directory is the base; an object, or a text that is JSON, is taken as it is. */
async function readManifest(
  reader: PipelineReader,
  given: string | object,
  options: SessionOptions,
): Promise<{ manifest: PipelineManifest; baseDir: string }> {
  const working = resolve(options.baseDir ?? process.cwd());
  if (typeof given !== 'string' || given.trimStart().startsWith('{'))
    return { manifest: reader.parse(given), baseDir: working };
  const path = resolve(given);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PipelineError('PIPELINE_INVALID', `The pipeline manifest '${path}' cannot be read`, {
      path,
      cause,
      hint: 'Give the path of a manifest, or the manifest itself as an object.',
    });
  });
  return { manifest: reader.parse(text, path), baseDir: options.baseDir === undefined ? dirname(path) : working };
}

async function loadPlugins(
  starting: Omit<Starting, 'byNodeType' | 'sessionId'>,
): Promise<ReadonlyMap<string, ReadPlugin>> {
  const { context, manifest } = starting;
  const byNodeType = new Map<string, ReadPlugin>();
  for (const entry of manifest.plugins) {
    const plugin = await readEntry(starting, entry);
    const { id, operations } = plugin.planned.spec;
    for (const { name, kind } of operations ?? []) {
      if (kind !== 'node') continue;
      const earlier = byNodeType.get(name);
      if (earlier !== undefined) {
        const message = `Plugins '${earlier.planned.spec.id}' and '${id}' both offer the node type '${name}'; the one listed last is used`;
        context.events.emit('warning', { plugin: id, message });
      }
      byNodeType.set(name, plugin);
    }
  }
  return byNodeType;
}

/** One entry of `plugins` → a plugin that is read and verified, and not started. */
async function readEntry(starting: Omit<Starting, 'byNodeType' | 'sessionId'>, entry: JsonValue): Promise<ReadPlugin> {
  const { context, options, baseDir } = starting;
  const loadOptions = loadOptionsOf(options, baseDir);
  const found = await saying('plugin resolution failed', () => resolveEntry(starting, entry));
  const spec = mergedSpec(starting, found.spec, []);
  const plan = await saying(`provisioning failed for plugin '${spec.id}'`, () => provision(context, spec, loadOptions));
  const { provenance, format, read } = found;
  return { planned: { spec: found.spec, plan }, provenance, format, read };
}

async function resolveEntry(
  { context, reader, options, baseDir }: Omit<Starting, 'byNodeType' | 'sessionId'>,
  entry: JsonValue,
): Promise<Omit<ReadPlugin, 'planned'> & { readonly spec: PluginSpec }> {
  const source = reader.parseEntry(entry);
  const reference =
    source.kind === 'local' ? localPath(source.path) : `${source.owner}/${source.repository}@${source.tag}`;
  const found = await locatePlugin(context, reference, {
    ...loadOptionsOf(options, baseDir),
    ...('sha256' in source && source.sha256 && { sha256: source.sha256 }),
  });
  const provenance = await verify(context, found);
  const format = formatNamed(context, found.format);
  const read = () => readSpec(provenance.directory, format);
  const spec = read();
  authorize(spec, provenance, context.options.trust);
  return { spec, provenance, format, read };
}

/** Puts before an error's message what was being done: whoever wrote the pipeline did not ask for this plugin by hand. */
async function saying<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CharmerError ? Object.assign(error, { message: `${doing}: ${error.message}` }) : error;
  }
}

function localPath(path: string): string {
  return /^\.{0,2}\//.test(path) || path === '.' || path === '..' ? path : `./${path}`;
}

function mergedSpec(
  starting: Pick<Starting, 'reader' | 'manifest' | 'options'>,
  spec: PluginSpec,
  pythonDeps: readonly string[],
): PluginSpec {
  const { manifest, reader, options } = starting;
  const { extraDeps, version } = manifest.python;
  return { ...spec, python: reader.pythonFor(spec, { pythonDeps, extraDeps, version, isStrict: options.strict }) };
}

function loadOptionsOf(options: SessionOptions, baseDir: string): LoadOptions {
  const { env, strict, refresh, readyTimeoutMs, signal } = options;
  return {
    baseDir,
    ...(env && { env }),
    ...(strict !== undefined && { strict }),
    ...(refresh !== undefined && { refresh }),
    ...(readyTimeoutMs !== undefined && { readyTimeoutMs }),
    ...(signal && { signal }),
  };
}

function checkNodeType({ byNodeType }: Starting, { id, nodeType }: ManifestNode): void {
  if (byNodeType.has(nodeType) || nodeType.includes('/')) return;
  const known = [...byNodeType.keys()];
  throw new PipelineError('NODE_UNKNOWN', `Unknown node type '${nodeType}' for node '${id}'`, {
    key: id,
    hint:
      didYouMean(nodeType, known) ??
      `The plugins of this manifest offer ${known.map((name) => `'${name}'`).join(', ') || 'no node types'}.`,
    details: { known },
  });
}

async function createNode(starting: Starting, node: ManifestNode, within: NodeContext): Promise<PipelineNode> {
  const plugin = starting.byNodeType.get(node.nodeType);
  return plugin === undefined
    ? createOperationNode(starting, node)
    : createPluginNode(starting, { node, plugin }, within);
}

function createPluginNode(
  starting: Starting,
  { node, plugin }: { node: ManifestNode; plugin: ReadPlugin },
  within: NodeContext,
): Promise<PipelineNode> {
  const { context, options, baseDir } = starting;
  const spec = mergedSpec(starting, plugin.planned.spec, node.pythonDeps);
  return startNode(
    context,
    {
      plugin,
      options: loadOptionsOf(options, baseDir),
      node: node.nodeType,
      nodeId: node.id,
      params: node.params,
      ...(node.pythonDeps.length > 0 && { python: spec.python }),
    },
    within,
  );
}

/** `<plugin>/<operation>`: any operation of any format as a node; params become the first argument's fields. */
async function createOperationNode({ context, options, baseDir }: Starting, node: ManifestNode): Promise<PipelineNode> {
  const at = node.nodeType.lastIndexOf('/');
  const plugin = await loadPlugin(context, node.nodeType.slice(0, at), loadOptionsOf(options, baseDir));
  const operation = node.nodeType.slice(at + 1);
  const kind = plugin.operations?.find((each) => each.name === operation)?.kind ?? 'unary';
  return operationNode({
    call: (value, { signal }) => {
      const calling = plugin.with({ signal });
      const argument = withParams(node, value);
      return kind === 'server-stream' || kind === 'bidi'
        ? calling.stream(operation, argument)
        : calling.call(operation, argument);
    },
    exited: new Promise(() => undefined),
    close: () => plugin.close(),
  });
}

function withParams(node: ManifestNode, value: unknown): unknown {
  if (Object.keys(node.params).length === 0) return value;
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value))
    return { ...node.params, ...value };
  return value;
}
