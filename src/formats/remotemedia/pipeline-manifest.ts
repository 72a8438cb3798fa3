/** A pipeline manifest v1 → `PipelineManifest` (spec 3.1 to 3.4). Pure; nothing is loaded. */
import { type CodeOf, PipelineError } from '../../errors.ts';
import type { ManifestConnection, ManifestNode, ManifestPython, PipelineManifest } from '../../pipeline-manifest.ts';
import type { Finding, JsonObject, JsonValue } from '../../plugin-spec.ts';
import { jsonErrorPosition, type JsonPath, jsonPosition } from './json-positions.ts';
import { configHint, dialectHint } from './manifest-dialects.ts';

/** The only version that the format has. */
const VERSION = 'v1';

type Fields = Readonly<Record<string, unknown>>;

/** One reading of one manifest: what the checks below share. */
interface Reading {
  /** Absent when the manifest came as an object. */
  readonly text: string | undefined;
  /** What findings and errors call the file. */
  readonly path: string;
  readonly root: Fields;
  readonly findings: Finding[];
}

/**
 * R28 to R34: reads and checks a manifest. Unknown fields are ignored at every level; a version other than `v1`, a
 * connection listed twice, an empty graph and `config` in place of `params` are findings.
 *
 * @param manifest JSON text, or what it parses to.
 * @param path Name of the file, for errors and findings. @default 'manifest.json'
 * @throws PipelineError `PIPELINE_INVALID`, `NODE_UNKNOWN` with line, column and key
 */
export function parsePipelineManifest(manifest: unknown, path = 'manifest.json'): PipelineManifest {
  const reading = open(manifest, path);
  const { root } = reading;
  const version = readText(reading, ['version']);
  const metadata = readObject(reading, ['metadata']);
  const nodes = readList(reading, ['nodes']).map((_, index) => readNode(reading, index));
  const connections = readList(reading, ['connections']).map((_, index) => readConnection(reading, index));
  checkIds(reading, nodes);
  checkEnds(reading, nodes, connections);
  warnOfRepeats(reading, connections);
  if (version !== VERSION)
    warn(reading, ['version'], { message: `The version is '${version}', '${VERSION}' is expected` });
  if (nodes.length === 0)
    warn(reading, ['nodes'], { message: 'The pipeline has no nodes, nothing can come out of it' });
  return {
    name: typeof metadata['name'] === 'string' ? metadata['name'] : '',
    version,
    nodes,
    connections,
    plugins: root['plugins'] === undefined ? [] : readList(reading, ['plugins']).map((entry) => entry as JsonValue),
    python: readPython(reading),
    findings: reading.findings,
  };
}

function open(manifest: unknown, path: string): Reading {
  const text = typeof manifest === 'string' ? manifest.replace(/^\uFEFF/u, '') : undefined;
  const root = text === undefined ? manifest : parseJson(text, path);
  if (!isFields(root)) {
    throw new PipelineError(
      'PIPELINE_INVALID',
      `Failed to parse manifest: it is ${describe(root)}, an object is expected`,
      {
        path,
      },
    );
  }
  return { text, path, root, findings: [] };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const at = jsonErrorPosition(text);
    const where = at === undefined ? '' : ` at line ${at.line}, column ${at.column}`;
    const message = `Failed to parse manifest: it is not JSON${where}`;
    throw new PipelineError('PIPELINE_INVALID', message, { path, cause, ...at });
  }
}

function readNode(reading: Reading, index: number): ManifestNode {
  const at = ['nodes', index] as const;
  const node = readObject(reading, at);
  const id = readText(reading, [...at, 'id']);
  const hint = configHint(node);
  if (hint !== undefined) {
    warn(reading, [...at, 'config'], {
      message: `Node '${id}' has 'config' and no 'params', so its parameters are lost`,
      hint,
    });
  }
  return {
    id,
    nodeType: readText(reading, [...at, 'node_type']),
    params: readParams(reading, id, index),
    isOutputNode: node['is_output_node'] === true,
    isFastPath: node['fast_path'] === true,
    pythonDeps: readTexts(reading, [...at, 'python_deps']),
  };
}

/** R30: absent and null are `{}`. */
function readParams(reading: Reading, id: string, index: number): JsonObject {
  const at = ['nodes', index, 'params'] as const;
  const params = valueAt(reading.root, at) ?? {};
  if (isFields(params)) return params as JsonObject;
  throw fail(reading, at, { message: `Node '${id}': params must be an object, not ${describe(params)}` });
}

function readConnection(reading: Reading, index: number): ManifestConnection {
  const at = ['connections', index] as const;
  const connection = readObject(reading, at);
  const from = readText(reading, [...at, 'from']);
  const to = readText(reading, [...at, 'to']);
  return {
    from,
    to,
    ...(typeof connection['from_port'] === 'string' ? { fromPort: connection['from_port'] } : {}),
    ...(typeof connection['to_port'] === 'string' ? { toPort: connection['to_port'] } : {}),
  };
}

function readPython(reading: Reading): ManifestPython {
  if ((reading.root['python_env'] ?? undefined) === undefined) return { extraDeps: [] };
  const env = readObject(reading, ['python_env']);
  const version = env['python_version'] ?? undefined;
  return {
    extraDeps: readTexts(reading, ['python_env', 'extra_deps']),
    ...(version === undefined ? {} : { version: readText(reading, ['python_env', 'python_version']) }),
    ...(typeof env['scope'] === 'string' ? { scope: env['scope'] } : {}),
  };
}

function warnOfRepeats(reading: Reading, connections: readonly ManifestConnection[]): void {
  const seen = new Set<string>();
  for (const [index, { from, to }] of connections.entries()) {
    const edge = JSON.stringify([from, to]);
    if (seen.has(edge)) {
      const message = `The manifest lists the same connection twice, from '${from}' to '${to}': each delivers`;
      warn(reading, ['connections', index], { message });
    }
    seen.add(edge);
  }
}

/** R33 and the refusals of spec 3.4. */
function checkIds(reading: Reading, nodes: readonly ManifestNode[]): void {
  const seen = new Set<string>();
  for (const [index, { id }] of nodes.entries()) {
    const at = ['nodes', index, 'id'] as const;
    if (id === '') throw fail(reading, at, { message: `Node id must not be empty, node ${index + 1} needs one` });
    if (id.includes('.')) {
      const hint = 'Addresses of the control bus split at dots';
      throw fail(reading, at, { message: `Node id '${id}' must not contain a dot`, hint });
    }
    if (id.startsWith('__') && id.endsWith('__')) {
      const hint = "Names between double underscores are the host's own";
      throw fail(reading, at, { message: `Node id '${id}' is reserved`, hint });
    }
    if (seen.has(id)) {
      throw fail(reading, at, { message: `Node id '${id}' is a duplicate, every node needs an id of its own` });
    }
    seen.add(id);
  }
}

/** R31. */
function checkEnds(reading: Reading, nodes: readonly ManifestNode[], connections: readonly ManifestConnection[]): void {
  const ids = new Set(nodes.map((node) => node.id));
  for (const [index, { from, to }] of connections.entries()) {
    for (const [end, id, word] of [
      ['from', from, 'source'],
      ['to', to, 'target'],
    ] as const) {
      if (ids.has(id)) continue;
      const message = `Connection references unknown ${word} node: ${id}`;
      throw fail(reading, ['connections', index, end], { message, code: 'NODE_UNKNOWN' });
    }
  }
}

function readText(reading: Reading, at: JsonPath): string {
  const value = valueAt(reading.root, at);
  if (typeof value === 'string') return value;
  throw wrongType(reading, at, { value, expected: 'a text' });
}

function readObject(reading: Reading, at: JsonPath): Fields {
  const value = valueAt(reading.root, at);
  if (isFields(value)) return value;
  throw wrongType(reading, at, { value, expected: 'an object' });
}

function readList(reading: Reading, at: JsonPath): readonly unknown[] {
  const value = valueAt(reading.root, at);
  if (Array.isArray(value)) return value;
  throw wrongType(reading, at, { value, expected: 'a list' });
}

function readTexts(reading: Reading, at: JsonPath): readonly string[] {
  const value = valueAt(reading.root, at) ?? [];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  throw wrongType(reading, at, { value, expected: 'a list of texts' });
}

function wrongType(
  reading: Reading,
  at: JsonPath,
  { value, expected }: { readonly value: unknown; readonly expected: string },
): PipelineError {
  const state = value === undefined ? 'is missing' : `is ${describe(value)}`;
  const message = `Failed to parse manifest: '${keyOf(at)}' ${state}, ${expected} is expected`;
  return fail(reading, at, { message, hint: dialectHint(reading.root) });
}

/** What is wrong or odd at one place of a manifest. */
interface Fault {
  readonly message: string;
  readonly hint?: string | undefined;
  /** @default 'PIPELINE_INVALID' */
  readonly code?: CodeOf<'PipelineError'>;
}

function fail(reading: Reading, at: JsonPath, { message, hint, code = 'PIPELINE_INVALID' }: Fault): PipelineError {
  const position = reading.text === undefined ? undefined : jsonPosition(reading.text, at);
  return new PipelineError(code, message, { path: reading.path, key: keyOf(at), hint, ...position });
}

function warn(reading: Reading, at: JsonPath, { message, hint }: Fault): void {
  const position = reading.text === undefined ? {} : jsonPosition(reading.text, at);
  reading.findings.push({
    severity: 'warning',
    message,
    file: reading.path,
    key: keyOf(at),
    ...position,
    ...(hint === undefined ? {} : { hint }),
  });
}

function valueAt(root: unknown, at: JsonPath): unknown {
  let value = root;
  for (const step of at) value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  return value;
}

/** `['nodes', 0, 'id']` → `nodes[0].id`. */
function keyOf(at: JsonPath): string {
  return at
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value) ?? ''}`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
