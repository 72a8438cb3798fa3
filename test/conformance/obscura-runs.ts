/** The recorded operations that start processes. */

import * as door from '../../src/doors/obscura.ts';
import { conversation } from '../../src/formats/obscura/conversation.ts';
import { obscura } from '../../src/formats/obscura/index.ts';
import type { PluginFormat } from '../../src/formats/format.ts';
import { createHost, type CallReport, type HostOptions } from '../../src/index.ts';
import type { JsonFields, RecordedCase } from './obscura-cases.ts';
import { settle, type Outcome, type Setting } from './obscura-operations.ts';

/** Options of ours that a case asks for by meaning. */
export interface OptionsByMeaning {
  readonly reply?: door.ReplyOptions;
  readonly chunkSize?: number;
  readonly isolate?: boolean;
  readonly maxStdoutBytes?: number;
  readonly hasExtraSearchPath?: boolean;
}

/** The options that a text of `withOption` means, or undefined where the adapter does not know it. */
export function optionsOf(meaning: string): OptionsByMeaning | undefined {
  if (/last line alone/.test(meaning)) return { reply: { lastLineAlone: true } };
  if (/non-finite numbers become null/.test(meaning)) return { reply: { nonFinite: 'null' } };
  if (/lossless integers/.test(meaning)) return { reply: { bigIntegers: 'bigint' } };
  if (/isolate a failing chunk/.test(meaning))
    return { isolate: true, ...(/one item a chunk/.test(meaning) ? { chunkSize: 1 } : {}) };
  const chunk = /chunkSize (\d+)/.exec(meaning)?.[1];
  if (chunk !== undefined) return { chunkSize: Number(chunk) };
  const cap = /maxStdoutBytes (\d+)/.exec(meaning)?.[1];
  if (cap !== undefined) return { maxStdoutBytes: Number(cap) };
  if (/extra search path/.test(meaning)) return { hasExtraSearchPath: true };
  return undefined;
}

/** What was seen of the processes of a case. */
class Witness {
  readonly reports: CallReport[] = [];
  readonly #spans: { readonly start: number; readonly end: number }[] = [];
  readonly #envelopes: JsonFields[];

  constructor(envelopes: JsonFields[]) {
    this.#envelopes = envelopes;
    envelopes.length = 0;
  }

  readonly onReport = (report: CallReport): void => {
    this.reports.push(report);
    const end = performance.now();
    this.#spans.push({ start: end - report.runMs, end });
  };

  /** Most processes at once, by the times of their reports. */
  get peak(): number {
    const alive = this.#spans.map(
      ({ start }) => this.#spans.filter((span) => span.start <= start && start < span.end).length,
    );
    return Math.max(0, ...alive);
  }

  get facts(): Pick<Outcome, 'reports' | 'diagnostics' | 'peak' | 'envelopes'> {
    const { reports, peak } = this;
    return {
      reports,
      peak,
      envelopes: [...this.#envelopes],
      diagnostics: reports.flatMap(({ diagnostics }) => diagnostics),
    };
  }
}

/** The format, its envelopes looked at on their way. */
function spying(envelopes: JsonFields[]): PluginFormat {
  const encodeCall: typeof conversation.encodeCall = (spec, call) => {
    const bytes = conversation.encodeCall(spec, call);
    envelopes.push(JSON.parse(new TextDecoder().decode(bytes)) as JsonFields);
    return bytes;
  };
  return { ...obscura, conversation: { ...conversation, encodeCall } };
}

/** One runner for all cases that need none of their own. */
export class SharedRunner {
  readonly cacheDir: string;
  readonly #envelopes: JsonFields[] = [];
  #runner: door.ObscuraRunner | undefined;

  constructor(cacheDir: string) {
    this.cacheDir = cacheDir;
  }

  /** The shared runner, or one made for a case that sets the host up for itself. */
  for(recorded: RecordedCase): {
    readonly runner: door.ObscuraRunner;
    readonly witness: Witness;
    readonly close: () => Promise<void>;
  } {
    const witness = new Witness(this.#envelopes);
    const cap = recorded.call['cap'];
    const options: HostOptions = { cacheDir: this.cacheDir, formats: [spying(this.#envelopes)] };
    if (recorded.host === undefined && cap === undefined) {
      this.#runner ??= door.createObscuraRunner(options);
      return { runner: this.#runner, witness, close: async () => undefined };
    }
    const runner = door.createObscuraRunner({ ...options, ...(typeof cap === 'number' ? { maxProcesses: cap } : {}) });
    return { runner, witness, close: () => runner.close() };
  }

  async close(): Promise<void> {
    await this.#runner?.close();
  }
}

/** Events that are kept of a case: a flood of lines is none of what is looked for. */
const MOST_TOLD = 1_000;

/** A `single` or `batch` case through the door's run functions. */
export async function performRun(setting: Setting): Promise<Outcome> {
  const { recorded, workspace, shared } = setting;
  const call = workspace.fill(recorded.call);
  const { runner, witness, close } = shared.for(recorded);
  const told: unknown[] = [];
  const events = ['output', 'message', 'warning', 'exit'] as const;
  const keep = (each: unknown): void => {
    if (told.length < MOST_TOLD) told.push(each);
  };
  const deaf = events.map((event) => runner.host.on(event, keep));
  const controller = new AbortController();
  // What a host needs once, its supervisor above all, is no part of what a call costs.
  if (recorded.ours?.hostMemoryRiseAtMostBytes !== undefined) await runner.host.load(workspace.directory);
  const watch = watchMemory();
  try {
    const options = { ...runOptions(call, setting), signal: controller.signal, onReport: witness.onReport };
    const times = typeof call['times'] === 'number' ? call['times'] : 1;
    const runs = Array.from({ length: times }, () => settle(() => runOnce(runner, { setting, call, options })));
    const timer = abortLater(controller, call['abortAfterMs']);
    const outcomes = await Promise.all(runs);
    clearTimeout(timer);
    const [first] = outcomes;
    if (first === undefined) throw new TypeError('The case makes no call');
    const values = outcomes.map((outcome) => outcome.value);
    return { ...first, ...witness.facts, told, values, memoryRiseBytes: watch.stop() };
  } finally {
    watch.stop();
    for (const stop of deaf) stop();
    await close();
  }
}

/** Items by the rule of `supportsBatch`: the host's own `plugin.batch`. */
export async function performDispatch({ recorded, workspace, shared }: Setting): Promise<Outcome> {
  const call = workspace.fill(recorded.call);
  const envelopes: JsonFields[] = [];
  const witness = new Witness(envelopes);
  const host = createHost({ formats: [spying(envelopes)], cacheDir: shared.cacheDir });
  try {
    const plugin = await host.load(workspace.directory);
    const calling = plugin.with({ auth: call['auth'] as Record<string, string>, onReport: witness.onReport });
    const outcome = await settle(() => calling.batch(String(call['action']), call['items'] as unknown[]));
    return { ...outcome, ...witness.facts };
  } finally {
    await host.close();
  }
}

interface OneRun {
  readonly setting: Setting;
  readonly call: JsonFields;
  readonly options: door.NativePythonBatchOptions;
}

/** The manifest is read as the original's callers read it: just before the run. */
function runOnce(runner: door.ObscuraRunner, { setting, call, options }: OneRun): Promise<unknown> {
  const { recorded, workspace } = setting;
  const installDir = textOr(call['installDir'], workspace.directory);
  const manifest = door.readManifest(textOr(call['manifestFrom'], installDir));
  const action = call['action'] as string;
  const auth = (call['auth'] ?? {}) as Record<string, string>;
  if (recorded.op === 'single')
    return runner.runNativePythonPlugin(manifest, installDir, action, call['input'], auth, options);
  const items = call['items'] as unknown as door.PluginBatchItem[];
  return runner.runNativePythonPluginBatch(manifest, installDir, action, items, auth, options);
}

function runOptions(call: JsonFields, { options, workspace }: Setting): door.NativePythonBatchOptions {
  const given = (call['options'] ?? {}) as JsonFields;
  const { hasExtraSearchPath, ...direct } = options;
  const { timeoutMs, pluginsRootDir, chunkSize, maxStdoutBytes } = given;
  const hostPath = process.env['PYTHONPATH'] ?? '';
  return {
    ...(timeoutMs === undefined || timeoutMs === null ? {} : { timeoutMs: Number(timeoutMs) }),
    ...(typeof pluginsRootDir === 'string' ? { pluginsRootDir } : {}),
    ...(typeof chunkSize === 'number' ? { chunkSize } : {}),
    ...(typeof maxStdoutBytes === 'number' ? { maxStdoutBytes } : {}),
    ...direct,
    ...(hasExtraSearchPath === true ? { pluginsRootDir: workspace.root, extraSearchPath: hostPath.split(':') } : {}),
  };
}

function abortLater(controller: AbortController, afterMs: unknown): NodeJS.Timeout | undefined {
  return typeof afterMs === 'number' ? setTimeout(() => controller.abort(), afterMs) : undefined;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/** How often the resident memory of this process is looked at, in milliseconds. */
const MEMORY_SAMPLE_MS = 25;

function watchMemory(): { stop(): number } {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), MEMORY_SAMPLE_MS);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return most - before;
    },
  };
}
