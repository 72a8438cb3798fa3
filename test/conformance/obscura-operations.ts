/** Each recorded operation as a call of our API, and what came of it as a value that can be judged. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as door from '../../src/doors/obscura.ts';
import { CharmerError } from '../../src/errors.ts';
import type { CallReport, Diagnostic } from '../../src/index.ts';
import { openTree } from '../../src/locate/open-tree.ts';
import { obscura } from '../../src/formats/obscura/index.ts';
import type { Json, JsonFields, RecordedCase } from './obscura-cases.ts';
import { performDispatch, performRun, type OptionsByMeaning, type SharedRunner } from './obscura-runs.ts';
import type { Workspace } from './obscura-workspace.ts';

/** What came of a case, with all that an expectation may look at. */
export interface Outcome {
  readonly kind: 'value' | 'error' | 'undefined' | 'pending';
  readonly value?: unknown;
  readonly error?: unknown;
  readonly diagnostics: readonly Diagnostic[];
  readonly reports: readonly CallReport[];
  /** Everything that the host told outside of the answer. */
  readonly told: readonly unknown[];
  readonly elapsedMs: number;
  readonly peak?: number;
  readonly prototypeKeys?: readonly string[];
  /** The envelopes that were written, where they were looked at. */
  readonly envelopes?: readonly JsonFields[];
  /** State of stored keys. */
  readonly status?: Readonly<Record<string, string>>;
  /** What validation says about the manifest, one text each. */
  readonly validation?: readonly string[];
  /** Values of several calls at once. */
  readonly values?: readonly unknown[];
  readonly memoryRiseBytes?: number;
}

/** What an operation needs beside its case. */
export interface Setting {
  readonly recorded: RecordedCase;
  readonly workspace: Workspace;
  readonly shared: SharedRunner;
  readonly options: OptionsByMeaning;
}

/** How long a call is watched before it counts as pending, in milliseconds. */
const WATCH_MS = 60_000;

/** Runs a case once. Throws where the adapter does not know the operation. */
export async function perform(setting: Setting): Promise<Outcome> {
  const { recorded, workspace } = setting;
  const environment = workspace.fill({
    ...recorded.host?.env,
    ...(recorded.call['env'] as Record<string, string> | undefined),
  });
  return withEnvironment(environment, recorded.section.startsWith('4'), () => {
    switch (recorded.op) {
      case 'manifest':
        return performManifest(recorded, workspace);
      case 'single':
      case 'batch':
        return performRun(setting);
      case 'dispatch':
        return performDispatch(setting);
      case 'fn':
      case 'asyncFn':
        return performFunction(recorded, workspace);
      case 'fanOut':
        return performFanOut(recorded);
      case 'parseEpisodeFromFilename':
        return settle(() => door.parseEpisodeFromFilename(String(recorded.call['filename'])));
      case 'matchScenesToEpisodes':
        return settle(() => matchList(recorded.call));
      case 'encryptShape':
        return settle(() => encryptShape(String(recorded.call['plaintext'])));
      default:
        throw new TypeError(`The adapter knows no operation '${recorded.op}'`);
    }
  });
}

/** Awaits work and notes how it ended; work that does not end is pending. */
export async function settle(work: () => unknown): Promise<Outcome> {
  const nothing = { diagnostics: [], reports: [], told: [] };
  const begun = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const watch = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'pending', elapsedMs: WATCH_MS, ...nothing }), WATCH_MS);
  });
  const ended = (async (): Promise<Outcome> => {
    try {
      const value = await work();
      const elapsedMs = performance.now() - begun;
      return value === undefined
        ? { kind: 'undefined', elapsedMs, ...nothing }
        : { kind: 'value', value, elapsedMs, ...nothing };
    } catch (error) {
      return { kind: 'error', error, elapsedMs: performance.now() - begun, ...nothing };
    }
  })();
  try {
    return await Promise.race([ended, watch]);
  } finally {
    clearTimeout(timer);
  }
}

async function performManifest({ call }: RecordedCase, workspace: Workspace): Promise<Outcome> {
  const path = join(workspace.directory, 'manifest.yml');
  rmSync(path, { recursive: true, force: true });
  if (call['asDirectory'] === true) mkdirSync(path);
  else if (typeof call['base64'] === 'string') writeFileSync(path, Buffer.from(call['base64'], 'base64'));
  else if (call['absent'] !== true) writeFileSync(path, String(call['yaml']));
  const outcome = await settle(() => door.readManifest(workspace.directory));
  return { ...outcome, validation: validate(workspace.directory) };
}

/** What `check` tells: the findings, or the refusal with its hint. */
function validate(directory: string): string[] {
  try {
    const findings = obscura.check?.(openTree(directory)) ?? [];
    return findings.map(({ message, hint, key }) => `${key ?? ''} ${message} ${hint ?? ''}`);
  } catch (error) {
    if (!(error instanceof CharmerError)) throw error;
    return [`${error.key ?? ''} ${error.message} ${error.hint ?? ''}`];
  }
}

const FUNCTIONS: Readonly<Record<string, (...given: never[]) => unknown>> = {
  normalizeVideoResult: door.normalizeVideoResult,
  normalizeFolderResult: door.normalizeFolderResult,
  normalizeGalleryResult: door.normalizeGalleryResult,
  normalizeImageResult: door.normalizeImageResult,
  normalizeAudioTrackResult: door.normalizeAudioTrackResult,
  normalizeAudioLibraryResult: door.normalizeAudioLibraryResult,
  hasUsableVideoResult: door.hasUsableVideoResult,
  normalizeMovieResult: door.normalizeMovieResult,
  normalizeSeriesResult: door.normalizeSeriesResult,
  normalizeSeasonResult: door.normalizeSeasonResult,
  normalizeEpisodeResult: door.normalizeEpisodeResult,
  normalizeImageCandidate: door.normalizeImageCandidate,
  deriveProposedResultFromPluginOutput: door.deriveProposedResultFromPluginOutput,
  decryptAuthValue: door.decryptAuthValue,
  encryptAuthValue: door.encryptAuthValue,
  resolvePluginAuth: door.resolvePluginAuth,
  resolveIndexUrl: door.resolveIndexUrl,
  resolveEntryZipUrl: door.resolveEntryZipUrl,
  getExternalId: door.getExternalId,
  hasExternalId: door.hasExternalId,
  setExternalId: door.setExternalId,
  mergeExternalIds: door.mergeExternalIds,
};

async function performFunction({ call }: RecordedCase, workspace: Workspace): Promise<Outcome> {
  const name = String(call['function']);
  const run = FUNCTIONS[name];
  if (run === undefined) throw new TypeError(`The adapter knows no function '${name}'`);
  const text = call['argumentsText'];
  const given =
    typeof text === 'string' ? (JSON.parse(text) as Json[]) : workspace.fill((call['arguments'] ?? []) as Json[]);
  const outcome = await settle(() => run(...(given as never[])));
  const shown = call['showPrototype'];
  const prototypeKeys =
    typeof shown === 'string' ? { prototypeKeys: keysOfPrototype(valueAt(outcome.value, shown)) } : {};
  const status = name === 'resolvePluginAuth' ? { status: await statusOf(given[1]) } : {};
  return { ...outcome, ...prototypeKeys, ...status };
}

async function statusOf(rows: Json | undefined): Promise<Readonly<Record<string, string>>> {
  const { states } = await door.describePluginAuth(undefined, rows as unknown as door.PluginAuthRow[]);
  return states;
}

/** The value at a dotted path, or undefined. */
export function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, step) => {
    return typeof at === 'object' && at !== null && Object.hasOwn(at, step)
      ? (at as Record<string, unknown>)[step]
      : undefined;
  }, value);
}

function keysOfPrototype(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' && prototype !== null ? Object.keys(prototype) : [];
}

interface FanOutInput {
  readonly delayMs: number;
  readonly result?: Json;
  readonly fails?: string;
}

async function performFanOut({ call }: RecordedCase): Promise<Outcome> {
  let alive = 0;
  let peak = 0;
  const items = (call['items'] as unknown as ({ readonly id: string } & FanOutInput)[]).map(({ id, ...input }) => ({
    id,
    input,
  }));
  const callback = async ({ delayMs, result, fails }: FanOutInput): Promise<Json> => {
    alive += 1;
    peak = Math.max(peak, alive);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    alive -= 1;
    if (fails !== undefined) throw new Error(fails);
    return result ?? null;
  };
  const concurrency = call['concurrency'] as number | undefined;
  const outcome = await settle(() => door.fanOut(items, callback, concurrency));
  return { ...outcome, peak };
}

function matchList(call: JsonFields): unknown {
  const { matched, unmatched } = door.matchScenesToEpisodes(
    call['scenes'] as unknown as door.Scene[],
    call['episodes'] as unknown as door.KnownEpisode[],
  );
  const rows = matched.map(({ scene, episode }) => [scene.sceneId, episode.seasonNumber, episode.episodeNumber]);
  return { matched: rows, unmatched: unmatched.map(({ sceneId }) => sceneId) };
}

function encryptShape(plaintext: string): unknown {
  const [first, second] = [door.encryptAuthValue(plaintext), door.encryptAuthValue(plaintext)];
  return {
    parts: first.split(':').map((part) => Buffer.from(part, 'base64').length),
    alphabet: first.split(':').every((part) => /^[A-Za-z0-9+/]*={0,2}$/.test(part)),
    differsEachTime: first !== second,
    roundTrip: door.decryptAuthValue(first),
  };
}

/** Sets variables for a while; what concerns keys starts without a secret of the machine's own. */
async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  isAboutKeys: boolean,
  work: () => Promise<T>,
): Promise<T> {
  const before = process.env;
  const without = isAboutKeys ? { OBSCURA_SECRET: undefined } : {};
  const entries = Object.entries({ ...before, ...without, ...variables }).filter(([, value]) => value !== undefined);
  process.env = Object.fromEntries(entries);
  try {
    return await work();
  } finally {
    process.env = before;
  }
}
