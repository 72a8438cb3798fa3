/** The families that need no process: `toml`, `specs.json`, `env-keys.json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parsePluginToml } from '../../src/formats/remotemedia/manifest.ts';
import { parsePluginEntry } from '../../src/formats/remotemedia/plugin-specs.ts';
import { environmentKey } from '../../src/provision/environment-key.ts';
import { readJson, type RecordedCase } from './remotemedia-workshop.ts';

interface TomlCase {
  readonly file: string;
  readonly result: string;
  readonly names?: string;
  readonly requires?: readonly string[];
  readonly module_root?: string;
  readonly node_types?: readonly string[];
  readonly entry_module?: string;
}

/** `toml/expected.json`. */
export function tomlCases(directory: string): RecordedCase[] {
  const cases = (readJson(directory, 'toml/expected.json') ?? []) as TomlCase[];
  return cases.map((expected) => ({
    id: `toml/${expected.file}`,
    run: async () => judgeToml(expected, join(directory, 'toml', expected.file)),
  }));
}

function judgeToml(expected: TomlCase, path: string): string | undefined {
  const wantsOk = expected.result === 'ok' || expected.result === 'ours:ok';
  try {
    const toml = parsePluginToml(readFileSync(path), path);
    if (!wantsOk) return `expected ${expected.result}, it was read`;
    return firstDifference([
      ['requires', expected.requires, toml.requires],
      ['module_root', expected.module_root, toml.moduleRoot],
      ['node_types', expected.node_types, toml.nodeTypes],
      ['entry_module', expected.entry_module, toml.entryModule],
    ]);
  } catch (error) {
    const { kind } = detailsOf(error);
    if (wantsOk) return `expected it to be read, got ${String(error)}`;
    const wanted =
      expected.result === 'ours:escape' ? 'ModuleRootEscape' : expected.result.replace(/^(error|ours):/, '');
    if (kind !== wanted) return `expected ${wanted}, got ${String(kind)}: ${String(error)}`;
    return String(error).includes(expected.names ?? '')
      ? undefined
      : `expected '${expected.names ?? ''}' in: ${String(error)}`;
  }
}

interface SpecCase {
  readonly spec: unknown;
  readonly kind: string;
  readonly path?: string;
  readonly owner?: string;
  readonly repo?: string;
  readonly version?: string;
  readonly ours?: Partial<SpecCase>;
}

/** `specs.json`. */
export function specCases(directory: string): RecordedCase[] {
  const cases = (readJson(directory, 'specs.json') ?? []) as SpecCase[];
  return cases.map((given) => ({
    id: `specs/${JSON.stringify(given.spec)}`,
    run: async () => judgeSpec({ ...given, ...given.ours }),
  }));
}

function judgeSpec(expected: SpecCase): string | undefined {
  const kind = expected.kind.replace(/^ours:/, '');
  try {
    const entry = parsePluginEntry(expected.spec);
    if (entry.kind !== kind) return `expected ${kind}, got ${entry.kind}`;
    if (entry.kind === 'local') return firstDifference([['path', expected.path, entry.path]]);
    return firstDifference([
      ['owner', expected.owner, entry.owner],
      ['repo', expected.repo, entry.repository],
      ['version', expected.version, entry.tag],
    ]);
  } catch (error) {
    const found = detailsOf(error);
    const wanted = kind.replace(/^error:/, '');
    if (found.kind !== wanted) return `expected ${wanted}, got ${String(found.kind)}: ${String(error)}`;
    return firstDifference([['path', expected.path, found.path]]);
  }
}

interface EnvironmentCase {
  readonly a: { readonly python_version: string; readonly requires: readonly string[] };
  readonly b: { readonly python_version: string; readonly requires: readonly string[] };
  readonly same: boolean;
  readonly ours_may?: string;
  readonly why: string;
}

/** `env-keys.json`. */
export function environmentCases(directory: string): RecordedCase[] {
  const cases = (readJson(directory, 'env-keys.json') ?? []) as EnvironmentCase[];
  return cases.map((given, index) => ({
    id: `env-keys/${index + 1}: ${given.why}`,
    run: async () => {
      const isSame = keyOf(given.a) === keyOf(given.b);
      const isAllowed = isSame === given.same || (isSame && given.ours_may === 'same');
      return isAllowed ? undefined : `expected ${given.same ? 'one environment' : 'two environments'}`;
    },
  }));
}

/** Only the version of the interpreter and the requirements differ between the two of a pair. */
function keyOf({ python_version: version, requires }: EnvironmentCase['a']): string {
  const interpreter = { path: '/python', version, identity: `/python/${version}`, platformTag: 'linux' };
  return environmentKey({ requirements: requires, interpreter: interpreter as never, seesBase: false });
}

function firstDifference(
  pairs: readonly (readonly [name: string, wanted: unknown, got: unknown])[],
): string | undefined {
  for (const [name, wanted, got] of pairs) {
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(got)) continue;
    return `expected ${name} ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`;
  }
  return undefined;
}

function detailsOf(error: unknown): { readonly kind?: unknown; readonly path?: unknown } {
  const { details, path } = error as { details?: { kind?: unknown }; path?: unknown };
  return { kind: details?.kind, path };
}
