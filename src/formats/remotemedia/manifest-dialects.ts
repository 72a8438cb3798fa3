/** Manifests that are written for something else and mistaken for v1: what they would look like as v1 (R32, RW30). */

type Fields = Readonly<Record<string, unknown>>;

/** Says which dialects a manifest is written in and what to write instead; undefined: none that is known. */
export function dialectHint(manifest: Fields): string | undefined {
  const hints: string[] = [];
  if ('edges' in manifest && !('connections' in manifest)) {
    hints.push(`'edges' is another dialect: write "connections": ${example(list(manifest['edges'])[0])}`);
  }
  const node = list(manifest['nodes']).find((candidate) => 'nodeType' in candidate);
  if (node !== undefined) {
    hints.push(`'nodeType' is the camel-case dialect: write "node_type": ${JSON.stringify(node['nodeType'])}`);
  }
  const connection = list(manifest['connections']).find((candidate) => endsOf(candidate) !== undefined);
  if (connection !== undefined) {
    const [from, to] = endsOf(connection) ?? [];
    hints.push(`'${from ?? ''}' and '${to ?? ''}' are another dialect: write "connections": ${example(connection)}`);
  }
  return hints.length === 0 ? undefined : hints.join('; ');
}

/** RW30: a builder of the original writes `config` where the manifest wants `params`, so that parameters vanish. */
export function configHint(node: Fields): string | undefined {
  return 'config' in node && !('params' in node) ? "Write 'params' instead of 'config'" : undefined;
}

const ENDS = [
  ['from_node', 'to_node'],
  ['source', 'destination'],
  ['source', 'target'],
  ['fromNode', 'toNode'],
] as const;

function endsOf(connection: Fields): readonly [string, string] | undefined {
  return ENDS.find(
    ([from, to]) => (from in connection || to in connection) && !('from' in connection && 'to' in connection),
  );
}

function example(connection: Fields | undefined): string {
  const [from, to] = (connection === undefined ? undefined : endsOf(connection)) ?? ['from', 'to'];
  return JSON.stringify([{ from: connection?.[from] ?? 'a', to: connection?.[to] ?? 'b' }]);
}

function list(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Fields => typeof item === 'object' && item !== null && !Array.isArray(item));
}
