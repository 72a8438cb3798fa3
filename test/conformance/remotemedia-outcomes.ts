/** `outcomes.json`: what comes out when the recorded plugins run here. */
import { join } from 'node:path';

import type { PipelineSession, RuntimeData } from '../../src/index.ts';
import { type ExpectedError, judgeError } from './remotemedia-errors.ts';
import { type Frame, inputOf, judgeFrame, textOf } from './remotemedia-frames.ts';
import { matchAll } from './remotemedia-manifests.ts';
import {
  describe,
  readJson,
  type RecordedCase,
  Skip,
  within,
  withVariables,
  type Workshop,
} from './remotemedia-workshop.ts';

interface Turn {
  readonly in?: Frame;
  readonly out?: readonly Frame[] | string;
  readonly sleep?: number;
  readonly signal?: string;
  readonly end?: string;
  readonly ours?: TurnOurs;
}

interface TurnOurs {
  readonly out?: readonly Frame[];
  readonly out_then?: Frame;
  readonly strict?: readonly Frame[];
  readonly reply_json_has?: Readonly<Record<string, unknown>>;
  readonly reply_json_matches?: Readonly<Record<string, string>>;
  readonly reply?: Frame;
  readonly data?: readonly Frame[];
  readonly tap?: Readonly<Record<string, readonly unknown[]>>;
  readonly out_session?: string;
  readonly note?: string;
}

interface CaseOurs {
  readonly ready?: boolean;
  readonly error?: ExpectedError;
  readonly out?: readonly Frame[];
  readonly reply_json_has?: Readonly<Record<string, unknown>> | null;
  readonly stats?: Readonly<Record<string, unknown>>;
  readonly close?: string;
  readonly close_reports?: ExpectedError;
}

interface OutcomeCase {
  readonly id: string;
  readonly plugin: string | null;
  readonly node_type: string;
  readonly node_id?: string;
  readonly params?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly needs?: string;
  readonly module_root?: string;
  readonly ready: boolean | string;
  readonly turns: readonly Turn[];
  readonly control?: readonly string[];
  readonly stats?: Readonly<Record<string, unknown>>;
  readonly trace?: readonly unknown[];
  /** Error lines of the original: what it said of exceptions that it kept from its callers. */
  readonly errors?: readonly string[];
  readonly ours?: CaseOurs;
}

/** What one node gave, in the order of arrival; replies of remote calls come on a tap of their own. */
interface Collected {
  readonly outputs: { readonly turn: number; readonly data?: RuntimeData; readonly error?: unknown }[];
  readonly replies: unknown[];
}

/** Promise of `close()`, with room for a loaded machine. */
const CLOSE_WITHIN_MS = 6_000;
/** How long a session that must not come to be is waited for before the caller gives up. */
const GIVE_UP_MS = 1_500;
const SESSION = 'sess1';

/** Every recorded plugin run. */
export function outcomeCases(directory: string): RecordedCase[] {
  const { cases = [] } = (readJson(directory, 'outcomes.json') ?? {}) as { cases?: readonly OutcomeCase[] };
  return cases.flatMap((given) => {
    const plain = {
      id: `outcomes/${given.id}`,
      needs: given.needs,
      run: (workshop: Workshop) => runCase(workshop, given),
    };
    if (!given.turns.some((turn) => turn.ours?.strict !== undefined)) return [plain];
    const strict = {
      ...plain,
      id: `${plain.id} (strict)`,
      run: (workshop: Workshop) => runCase(workshop, given, true),
    };
    return [plain, strict];
  });
}

async function runCase(workshop: Workshop, given: OutcomeCase, isStrict = false): Promise<string | Skip | undefined> {
  const reason = reasonToSkip(given);
  if (reason !== undefined) return new Skip(reason);
  return withVariables(given.env ?? {}, async () => {
    const told: Told = { progress: [], lines: [], errors: [] };
    const opening = open(workshop, given, { isStrict, told });
    const wantsReady = given.ours?.ready ?? (given.ready !== false && given.ours?.error === undefined);
    if (!wantsReady) return judgeRefusal(given, opening);
    const session = await opening;
    let fault: string | undefined;
    try {
      fault = await new Play(given, session, isStrict).run();
    } finally {
      await within(CLOSE_WITHIN_MS, session.close());
    }
    return fault ?? judgeTold(given, told);
  });
}

function reasonToSkip({ id, turns, plugin, module_root: moduleRoot }: OutcomeCase): string | undefined {
  if (turns.some((turn) => turn.signal !== undefined)) return 'a signal in a turn is for a runner started by hand';
  if (id.endsWith('/no-session-flag')) return 'a host always passes a session, the runner by hand is tested in Python';
  if (moduleRoot !== undefined && plugin !== null && moduleRoot !== plugin && !moduleRoot.includes('src')) {
    return 'another module root than the manifest says can only be given to a runner started by hand';
  }
  if (id === 'src-root/plugin-directory-as-root')
    return 'what the original does with a module root, not what ours does';
  return undefined;
}

/** What was told beside the outputs. */
interface Told {
  readonly progress: { status: string; message: string }[];
  readonly lines: string[];
  readonly errors: unknown[];
}

async function open(
  workshop: Workshop,
  given: OutcomeCase,
  { isStrict, told }: { isStrict: boolean; told: Told },
): Promise<PipelineSession> {
  const { host } = workshop;
  const listening = [
    host.on('progress', ({ phase, message }) => told.progress.push({ status: phase, message })),
    host.on('output', ({ line }) => told.lines.push(line)),
  ];
  try {
    const session = await host.session(
      {
        ...{ version: 'v1', metadata: {}, connections: [] },
        plugins: given.plugin === null ? [] : [{ path: join(workshop.directory, 'plugins', given.plugin) }],
        nodes: [{ id: given.node_id ?? 'n', node_type: given.node_type, params: filled(given.params) }],
      },
      { sessionId: SESSION, strict: isStrict, signal: AbortSignal.any([timeoutOf(given)]) },
    );
    session.on('error', ({ error }) => told.errors.push(error));
    session.on('close', () => listening.forEach((stop) => stop()));
    return session;
  } catch (error) {
    listening.forEach((stop) => stop());
    throw error;
  }
}

/** A start that never ends is given up by its caller, as a person would. */
function timeoutOf({ id }: OutcomeCase): AbortSignal {
  return AbortSignal.timeout(id.includes('HangsInInitialize') ? GIVE_UP_MS : 110_000);
}

/** `<100000 x 'x'>` among the params stands for the text itself. */
function filled(params: unknown): unknown {
  if (typeof params === 'string') {
    const [, count, piece] = /^<(\d+) x '(.*)'>$/su.exec(params) ?? [];
    return piece === undefined ? params : piece.repeat(Number(count));
  }
  if (Array.isArray(params)) return params.map(filled);
  if (typeof params !== 'object' || params === null) return params;
  return Object.fromEntries(Object.entries(params).map(([key, value]) => [key, filled(value)]));
}

async function judgeRefusal(given: OutcomeCase, opening: Promise<PipelineSession>): Promise<string | undefined> {
  try {
    const session = await opening;
    await session.close();
    return 'expected that no session comes to be';
  } catch (error) {
    return given.ours?.error === undefined ? undefined : judgeError(given.ours.error, error);
  }
}

function judgeTold(given: OutcomeCase, told: Told): string | undefined {
  const { close_reports: report } = given.ours ?? {};
  if (report !== undefined && !told.errors.some((error) => judgeError(report, error) === undefined)) {
    return `expected a report of ${JSON.stringify(report)}, got ${told.errors.map(describe).join('; ') || 'none'}`;
  }
  const wanted = (given.control ?? []).filter((text) => text.startsWith('PROGRESS:')).map((text) => text.slice(9));
  const seen = told.progress.filter(({ status }) =>
    wanted.some((text) => text.includes(JSON.stringify(status).slice(1, -1))),
  );
  if (wanted.length > 0 && canonical(wanted.map((text) => JSON.parse(text) as unknown)) !== canonical(seen)) {
    return `expected progress ${wanted.join(', ')}, got ${JSON.stringify(told.progress)}`;
  }
  return judgeLine('TRACE', given.trace, told) ?? judgeLine('STATS', statsOf(given), told);
}

function statsOf({ stats, ours }: OutcomeCase): unknown {
  return stats === undefined ? undefined : { ...stats, ...ours?.stats };
}

/** A line that the node prints while it is cleaned up. */
function judgeLine(word: string, wanted: unknown, { lines }: Told): string | undefined {
  if (wanted === undefined) return undefined;
  const line = lines.find((text) => text.startsWith(`${word} `))?.slice(word.length + 1);
  if (line === undefined) return `the node printed no ${word} while it was cleaned up`;
  const got: unknown = JSON.parse(line);
  return canonical(got) === canonical(wanted)
    ? undefined
    : `expected ${word} ${canonical(wanted)}, got ${canonical(got)}`;
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The turns of one case. */
class Play {
  readonly #given: OutcomeCase;
  readonly #session: PipelineSession;
  readonly #node: string;
  readonly #isStrict: boolean;
  readonly #collected: Collected = { outputs: [], replies: [] };
  readonly #taps = new Map<string, ReturnType<ReturnType<PipelineSession['control']>['subscribe']>>();

  constructor(given: OutcomeCase, session: PipelineSession, isStrict: boolean) {
    this.#given = given;
    this.#session = session;
    this.#node = given.node_id ?? 'n';
    this.#isStrict = isStrict;
    void this.#collect();
  }

  async run(): Promise<string | undefined> {
    const control = this.#session.control();
    for (const turn of this.#given.turns) {
      for (const address of Object.keys(turn.ours?.tap ?? {})) {
        if (!this.#taps.has(address)) this.#taps.set(address, control.subscribe(this.#here(address)));
      }
    }
    for (const [index, turn] of this.#given.turns.entries()) {
      if (turn.sleep !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(turn.sleep) * 1000));
      if (turn.in !== undefined && !(await this.#send(turn.in))) continue;
      if (turn.sleep !== undefined || turn.out === 'collected with the next row') continue;
      await control.settled(this.#node);
      await new Promise((resolve) => setImmediate(resolve));
      const fault = await this.#judge(turn, this.#take());
      if (fault !== undefined) return `turn ${index + 1}: ${fault}`;
    }
    return undefined;
  }

  /** False where no host of ours can send such a frame. */
  async #send(frame: Frame): Promise<boolean> {
    if (frame['kind'] === 'aux') {
      await this.#session.send(
        { type: 'json', value: frame['payload'] },
        { node: this.#node, port: String(frame['port']) },
      );
      return true;
    }
    const input = inputOf(frame);
    if (input === undefined) return false;
    await this.#session.send(input);
    return true;
  }

  async #collect(): Promise<void> {
    const replies = this.#session.control().subscribe(`${this.#node}.out.__reply__`);
    void (async () => {
      for await (const reply of replies) if (reply?.type === 'json') this.#collected.replies.push(reply.value);
    })();
    for await (const { turn, data, error } of this.#session) {
      this.#collected.outputs.push({
        turn,
        ...(error === undefined ? {} : { error }),
        ...(data === undefined ? {} : { data }),
      });
    }
  }

  #take(): Collected {
    return { outputs: this.#collected.outputs.splice(0), replies: this.#collected.replies.splice(0) };
  }

  /** An address of the fixtures names the node by its place in a manifest of its own. */
  #here(address: string): string {
    return `${this.#node}${address.slice(address.indexOf('.'))}`;
  }

  async #judge(turn: Turn, got: Collected): Promise<string | undefined> {
    const { ours } = turn;
    const texts = got.outputs.map(({ data }) => (data?.type === 'text' ? data.data : ''));
    const isFree = this.#given.ours?.ready === true;
    return (
      this.#judgeOutputs(turn, got, isFree) ??
      judgeReply(ours?.reply_json_has ?? (isFree ? this.#given.ours?.reply_json_has : undefined) ?? undefined, texts) ??
      matchReply(ours?.reply_json_matches, texts) ??
      judgeSession(ours?.out_session ?? (turn.in?.['session'] as string | undefined), got) ??
      (await this.#judgeTaps(ours?.tap))
    );
  }

  #judgeOutputs(turn: Turn, got: Collected, isFree: boolean): string | undefined {
    const { ours } = turn;
    if (ours?.data !== undefined) {
      // A user port also reaches the data stream, unless configured: what a tap got is left out of the comparison.
      const ports = Object.keys(ours.tap ?? {}).map((address) => address.split('.').slice(2).join('.'));
      const data = got.outputs.filter(({ data: value }) => !ports.some((port) => isEnvelope(value, port)));
      return judgeFrames(ours.data, data);
    }
    const recorded = Array.isArray(turn.out) ? (turn.out as readonly Frame[]) : undefined;
    const wanted =
      (this.#isStrict ? ours?.strict : undefined) ??
      ours?.out ??
      (isFree ? this.#given.ours?.out : undefined) ??
      recorded;
    if (wanted === undefined || (isFree && ours?.out === undefined && this.#given.ours?.out === undefined))
      return undefined;
    if (ours?.reply !== undefined) return judgeRpc([ours.reply], got.replies);
    const frames = [
      ...wanted.filter(({ kind }) => kind !== 'end'),
      ...(ours?.out_then === undefined ? [] : [ours.out_then]),
    ];
    const isRpc = frames.some((frame) => replyOf(frame) !== undefined);
    const replies = isRpc ? frames.map((frame) => replyOf(frame) ?? frame).filter(isReply) : [];
    const isJsonReply = ours?.reply_json_has !== undefined || ours?.reply_json_matches !== undefined;
    const data = frames.filter(
      (frame) =>
        (isJsonReply ? frame['kind'] === 'error' : !isRpc || frame['kind'] !== undefined) &&
        replyOf(frame) === undefined,
    );
    const told =
      ours?.out === undefined && ours?.out_then === undefined ? this.#withoutKept(turn, got.outputs) : got.outputs;
    const outputs = isJsonReply ? told.filter(({ error }) => error !== undefined) : told;
    return judgeRpc(replies, got.replies) ?? judgeFrames(data, outputs);
  }

  /** R42: an exception that the original only logged is told here, and so is a control message that nobody knows. */
  #withoutKept(turn: Turn, outputs: Collected['outputs']): Collected['outputs'] {
    const kept = this.#given.errors ?? [];
    return outputs.filter(
      ({ error }) =>
        error === undefined ||
        (turn.in?.['kind'] !== 'control' && !kept.some((line) => line.includes((error as Error).message))),
    );
  }

  async #judgeTaps(taps: Readonly<Record<string, readonly unknown[]>> | undefined): Promise<string | undefined> {
    for (const [address, wanted] of Object.entries(taps ?? {})) {
      const seen = ((await this.#taps.get(address)?.drain()) ?? []).map((data) =>
        data?.type === 'json' ? data.value : data,
      );
      if (canonical(seen) !== canonical(wanted))
        return `expected ${canonical(wanted)} at ${address}, got ${canonical(seen)}`;
    }
    return undefined;
  }
}

function withoutEnds(frames: readonly Frame[]): readonly Frame[] {
  return frames.filter(({ kind }) => kind !== 'end');
}

function isEnvelope(data: RuntimeData | undefined, port: string): boolean {
  return data?.type === 'text' && data.data.includes('__aux_port__') && data.data.includes(JSON.stringify(port));
}

/** The payload of a recorded reply of a remote call. */
function replyOf(frame: Frame): Frame | undefined {
  if (frame['kind'] !== 'text' || frame['channel'] !== 'rpc') return undefined;
  const text = textOf(frame).replaceAll(/\b(NaN|-?Infinity)\b/g, '"$1"');
  return (JSON.parse(text) as { payload?: Frame }).payload;
}

function isReply(frame: Frame): boolean {
  return 'corr_id' in frame || 'more_values' in frame;
}

function judgeRpc(wanted: readonly Frame[], replies: readonly unknown[]): string | undefined {
  const got = replies as readonly Frame[];
  const open = wanted.findIndex((frame) => 'more_values' in frame);
  if (open >= 0) {
    // Timing decides how many values come in between: what is before them and what is after them must be there.
    const after = wanted.slice(open + 1);
    if (got.length < open + after.length) return `expected replies ${canonical(wanted)}, got ${canonical(got)}`;
    return judgeRpc(wanted.slice(0, open), got.slice(0, open)) ?? judgeRpc(after, got.slice(got.length - after.length));
  }
  if (wanted.length !== got.length) return `expected replies ${canonical(wanted)}, got ${canonical(got)}`;
  for (const [index, frame] of wanted.entries()) {
    const reply = got[index] ?? {};
    const { data_has: has, ...exact } = frame;
    const isRight = Object.entries(exact).every(([key, value]) => canonical(asText(reply[key])) === canonical(value));
    const hasAll = ((has as string[] | undefined) ?? []).every((text) => String(reply['data']).includes(text));
    if (!isRight || !hasAll) return `expected a reply ${canonical(frame)}, got ${canonical(asText(reply))}`;
  }
  return undefined;
}

/** Numbers that JSON cannot write, as the fixtures' texts have them. */
function asText(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asText(part)]));
}

function judgeFrames(wanted: readonly Frame[], outputs: Collected['outputs']): string | undefined {
  const open = wanted.findIndex((frame) => 'more_values' in frame);
  if (open < 0 && withoutEnds(wanted).length !== outputs.length) {
    const got = outputs.map(({ data, error }) => (error === undefined ? JSON.stringify(data) : describe(error)));
    return `expected ${JSON.stringify(wanted)}, got ${got.join(', ') || 'nothing'}`.slice(0, 1200);
  }
  for (const [index, frame] of withoutEnds(open < 0 ? wanted : wanted.slice(0, open)).entries()) {
    const { data, error } = outputs[index] ?? {};
    const { kind, ...expected } = frame;
    const fault =
      kind === 'error'
        ? error === undefined
          ? `expected an error ${JSON.stringify(frame)}, got ${JSON.stringify(data)}`
          : judgeError(expected, error)
        : data === undefined
          ? `expected ${JSON.stringify(frame)}, got ${describe(error)}`
          : judgeFrame(frame, data);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function judgeReply(
  wanted: Readonly<Record<string, unknown>> | undefined,
  texts: readonly string[],
): string | undefined {
  if (wanted === undefined) return undefined;
  const reply = JSON.parse(texts.find((text) => text.startsWith('{')) ?? '{}') as Record<string, unknown>;
  for (const [key, value] of Object.entries(wanted)) {
    if (canonical(reply[key]) !== canonical(value))
      return `expected ${key} ${canonical(value)}, got ${canonical(reply[key])}`;
  }
  return undefined;
}

function matchReply(
  patterns: Readonly<Record<string, string>> | undefined,
  texts: readonly string[],
): string | undefined {
  const reply = JSON.parse(patterns === undefined ? '{}' : (texts[0] ?? '{}')) as Record<string, unknown>;
  for (const [key, pattern] of Object.entries(patterns ?? {})) {
    const value = typeof reply[key] === 'string' ? reply[key] : (JSON.stringify(reply[key]) ?? '');
    if (!matchAll([pattern], [value])) return `expected ${key} to match ${pattern}, got ${value}`;
  }
  return undefined;
}

/** R77: outputs belong to the session of their input. */
function judgeSession(wanted: string | undefined, { outputs }: Collected): string | undefined {
  if (wanted === undefined || wanted === '') return undefined;
  const other = outputs.find(({ data }) => data !== undefined && (data.session ?? SESSION) !== wanted);
  return other === undefined ? undefined : `expected session '${wanted}', got '${other.data?.session ?? SESSION}'`;
}
