/** `manifests/expected.json`: whole pipelines, from their manifest to what the client got. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { PipelineSession, RuntimeData } from '../../src/index.ts';
import { type ExpectedError, judgeError } from './remotemedia-errors.ts';
import {
  describe,
  entriesOf,
  readJson,
  type RecordedCase,
  withVariables,
  type Workshop,
} from './remotemedia-workshop.ts';

interface Outputs {
  readonly outputs?: readonly string[];
  readonly outputs_any_order?: readonly string[];
  readonly outputs_one_of?: readonly (readonly string[])[];
  readonly outputs_patterns?: readonly string[];
  readonly outputs_count?: number;
  readonly outputs_in_order?: readonly (readonly string[])[];
}

interface Ours extends Outputs {
  readonly error?: string;
  readonly message?: string;
  readonly names?: string;
  readonly errors?: readonly ExpectedError[];
  readonly warning?: string;
  readonly hint?: string;
}

interface ManifestCase extends Outputs {
  readonly file: string;
  readonly result: string;
  readonly base?: string;
  readonly needs?: string;
  readonly inputs?: readonly string[];
  readonly reply_json_matches?: Readonly<Record<string, string>>;
  readonly env_has?: readonly string[];
  readonly taps?: Readonly<Record<string, readonly unknown[]>>;
  readonly message?: string;
  readonly names?: string;
  readonly ours?: Ours;
}

/** What a client got of one run. */
interface Got {
  readonly texts: readonly string[];
  readonly errors: readonly { readonly node: string; readonly turn: number; readonly error: unknown }[];
  readonly taps: Readonly<Record<string, readonly unknown[]>>;
}

/** Every manifest. */
export function manifestCases(directory: string): RecordedCase[] {
  const cases = (readJson(directory, 'manifests/expected.json') ?? []) as ManifestCase[];
  return cases.map((given) => ({
    id: `manifests/${given.file}`,
    needs: given.needs,
    run: async (workshop) => {
      const variables = given.needs === 'github-mock' ? await workshop.mirrorVariables() : {};
      return withVariables(variables, () => runManifest(workshop, given));
    },
  }));
}

async function runManifest(workshop: Workshop, given: ManifestCase): Promise<string | undefined> {
  let session: PipelineSession;
  try {
    session = await open(workshop, given);
  } catch (error) {
    if (given.needs === 'installer') throw error;
    return judgeRefusal(given, error);
  }
  try {
    if (given.result === 'error' || given.ours?.error !== undefined)
      return 'expected a refusal, the session was created';
    const got = await play(session, given);
    return judgeOutputs(given, got) ?? judgeErrors(given, got) ?? judgeRest(given, got, session);
  } finally {
    await session.close();
  }
}

async function open(workshop: Workshop, { file, base }: ManifestCase): Promise<PipelineSession> {
  const path = join(workshop.directory, 'manifests', file);
  const text = readFileSync(path, 'utf8');
  const isFilled = text.includes('{SHARED}');
  const baseDir = base === undefined ? dirname(path) : join(workshop.directory, base);
  if (!isFilled) return workshop.host.session(path, base === undefined ? {} : { baseDir });
  return workshop.host.session(text.replaceAll('{SHARED}', workshop.directory), { baseDir });
}

function judgeRefusal({ result, message, names, ours }: ManifestCase, error: unknown): string | undefined {
  const text = describe(error);
  if (result === 'runs') return `expected it to run, got ${text}`;
  const said = error instanceof Error ? error.message : '';
  const { code, hint } = error as { code?: string; hint?: string };
  const wanted = ours?.error === undefined ? [message, names] : [ours.message, ours.names];
  for (const part of wanted) if (part !== undefined && !said.includes(part)) return `expected '${part}' in: ${text}`;
  if (ours?.error !== undefined && code !== ours.error && !said.toLowerCase().includes(ours.error.toLowerCase())) {
    return `expected the error ${ours.error}, got ${text}`;
  }
  if (ours?.hint !== undefined && hint?.includes(ours.hint) !== true)
    return `expected a hint with '${ours.hint}': ${text}`;
  return undefined;
}

/** One input after the other, each after the last one's outputs have come. */
async function play(session: PipelineSession, given: ManifestCase): Promise<Got> {
  const control = session.control();
  const taps = Object.keys(given.taps ?? {}).map((address) => [address, control.subscribe(address)] as const);
  const texts: string[] = [];
  const errors: { node: string; turn: number; error: unknown }[] = [];
  const reading = (async () => {
    for await (const { node, turn, data, error } of session) {
      if (error === undefined) texts.push(textOf(data));
      else errors.push({ node, turn, error });
    }
  })();
  for (const input of given.inputs ?? []) {
    await session.send(input);
    // A node that has settled has handed on what it made, so going through them in any order twice reaches every one.
    for (const node of [...session.manifest.nodes, ...session.manifest.nodes]) await control.settled(node.id);
  }
  await session.inputComplete();
  await reading;
  const seen = await Promise.all(
    taps.map(async ([address, tap]) => [address, (await tap.drain()).map((data) => payloadOf(data))] as const),
  );
  return { texts, errors, taps: Object.fromEntries(seen) };
}

/** The fault of a list of outputs. */
export function judgeTexts(expected: Outputs, texts: readonly string[]): string | undefined {
  const { outputs, outputs_any_order: anyOrder, outputs_one_of: oneOf, outputs_patterns: patterns } = expected;
  const got = JSON.stringify(texts);
  const sorted = (list: readonly string[]): string => JSON.stringify([...list].sort());
  if (outputs !== undefined && JSON.stringify(outputs) !== got)
    return `expected ${JSON.stringify(outputs)}, got ${got}`;
  if (anyOrder !== undefined && sorted(anyOrder) !== sorted(texts)) {
    return `expected, in any order, ${JSON.stringify(anyOrder)}, got ${got}`;
  }
  if (oneOf !== undefined && !oneOf.some((list) => JSON.stringify(list) === got)) {
    return `expected one of ${JSON.stringify(oneOf)}, got ${got}`;
  }
  if (patterns !== undefined && !matchAll(patterns, texts)) return `expected ${JSON.stringify(patterns)}, got ${got}`;
  if (expected.outputs_count !== undefined && texts.length !== expected.outputs_count) {
    return `expected ${expected.outputs_count} outputs, got ${texts.length}`;
  }
  const lost = expected.outputs_in_order?.find((list) => !isSubsequence(list, texts));
  return lost === undefined ? undefined : `expected in this order ${JSON.stringify(lost)}, got ${got}`;
}

function judgeOutputs(given: ManifestCase, { texts }: Got): string | undefined {
  const ours = Object.fromEntries(Object.entries(given.ours ?? {}).filter(([name]) => name.startsWith('outputs')));
  return judgeTexts(Object.keys(ours).length > 0 ? ours : given, texts);
}

function judgeErrors({ ours }: ManifestCase, { errors }: Got): string | undefined {
  const wanted = ours?.errors ?? [];
  const [surplus] = errors.slice(wanted.length);
  if (surplus !== undefined) return `did not expect ${describe(surplus.error)}`;
  for (const [index, expected] of wanted.entries()) {
    const place = errors[index];
    const fault =
      place === undefined ? `expected ${JSON.stringify(expected)}` : judgeError(expected, place.error, place);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function judgeRest(given: ManifestCase, got: Got, session: PipelineSession): string | undefined {
  const { warning } = given.ours ?? {};
  if (warning !== undefined && !session.warnings.some((text) => text.includes(warning))) {
    return `expected a warning with '${warning}', got ${session.warnings.join('; ') || 'none'}`;
  }
  for (const [address, wanted] of Object.entries(given.taps ?? {})) {
    const seen = JSON.stringify(got.taps[address]);
    if (seen !== JSON.stringify(wanted)) return `expected ${JSON.stringify(wanted)} at ${address}, got ${seen}`;
  }
  if (given.reply_json_matches !== undefined) {
    const fault = matchReply(given.reply_json_matches, got.texts);
    if (fault !== undefined) return fault;
  }
  return judgeEnvironment(given.env_has ?? [], got.texts);
}

/** The environment at `prefix` of the reply has these distributions. */
function judgeEnvironment(distributions: readonly string[], [text = '{}']: readonly string[]): string | undefined {
  if (distributions.length === 0) return undefined;
  const { prefix } = JSON.parse(text) as { prefix?: string };
  const lib = join(prefix ?? '', 'lib');
  const installed = entriesOf(lib).flatMap((python) => entriesOf(join(lib, python, 'site-packages')));
  const missing = distributions.find((name) => !installed.some((entry) => entry.startsWith(`${name}-`)));
  return missing === undefined ? undefined : `expected '${missing}' in the environment at ${prefix ?? 'nowhere'}`;
}

function matchReply(patterns: Readonly<Record<string, string>>, [text = '']: readonly string[]): string | undefined {
  const reply = JSON.parse(text) as Record<string, unknown>;
  for (const [key, pattern] of Object.entries(patterns)) {
    const value = typeof reply[key] === 'string' ? reply[key] : JSON.stringify(reply[key]);
    if (!matchAll([pattern], [value ?? ''])) return `expected ${key} to match ${pattern}, got ${value ?? 'nothing'}`;
  }
  return undefined;
}

/** As many texts as patterns, each matched as a whole. */
export function matchAll(patterns: readonly string[], texts: readonly string[]): boolean {
  if (patterns.length !== texts.length) return false;
  return patterns.every((pattern, index) => new RegExp(`^(?:${pattern})$`, 'u').test(texts[index] ?? ''));
}

function isSubsequence(list: readonly string[], texts: readonly string[]): boolean {
  let at = 0;
  for (const text of texts) if (at < list.length && text.endsWith(list[at] ?? '')) at += 1;
  return at === list.length;
}

function textOf(data: RuntimeData | undefined): string {
  return data?.type === 'text' ? data.data : JSON.stringify(data);
}

function payloadOf(data: RuntimeData | null): unknown {
  if (data?.type === 'json') return data.value;
  return data?.type === 'text' ? data.data : data;
}
