/** Plays the steps of one scenario against a host of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { executePipeline } from '../../src/doors/remotemedia.ts';
import type { Host, PipelineSession, RuntimeData } from '../../src/index.ts';
import { type ExpectedError, judgeError } from './remotemedia-errors.ts';
import { textOf } from './remotemedia-frames.ts';
import { HostProcess } from './remotemedia-host-process.ts';
import { matchAll } from './remotemedia-manifests.ts';
import { describe, entriesOf, within, type Workshop } from './remotemedia-workshop.ts';

/** One step. */
export type Step = Readonly<Record<string, unknown>> & { readonly do: string };

/** One scenario of the fixtures. */
export interface Scenario {
  readonly id: string;
  readonly needs?: string;
  readonly setup?: {
    readonly manifest?: string;
    readonly plugin?: string;
    readonly node_type?: string;
    readonly params?: unknown;
  };
  readonly steps?: readonly Step[];
}

type Tap = ReturnType<ReturnType<PipelineSession['control']>['subscribe']>;

/** What a step came to: a value, or the error in its place. */
type Result = { readonly value: unknown } | { readonly error: unknown };

/** How long a step without a bound of its own may take, in milliseconds. */
const STEP_TIMEOUT_MS = 300_000;
/** Room for a loaded machine when a process must be gone at once. */
const GONE_SLACK_MS = 1_000;
const NETWORK_OFF = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9', UV_NO_CACHE: '1' };

/** One scenario under way. */
export class ScenarioPlayer {
  readonly #workshop: Workshop;
  readonly #scenario: Scenario;
  readonly #cacheDir: string;
  readonly #taps = new Map<string, Tap>();
  readonly #saved = new Map<string, string>();
  readonly #started = new Map<string, Promise<Result>>();
  readonly #events: Record<string, unknown>[] = [];
  readonly #pids: number[] = [];
  readonly #variables: Record<string, string>;
  #host: Host;
  #hostProcess: HostProcess | undefined;
  #session: PipelineSession | undefined;
  #startedAtCreate = 0;

  private constructor(workshop: Workshop, scenario: Scenario, variables: Record<string, string>) {
    this.#workshop = workshop;
    this.#scenario = scenario;
    this.#variables = variables;
    this.#cacheDir = mkdtempSync(join(tmpdir(), 'charmer-scenario-'));
    this.#host = this.#newHost();
  }

  static async open(workshop: Workshop, scenario: Scenario): Promise<ScenarioPlayer> {
    const variables = scenario.needs === 'github-mock' ? await workshop.mirrorVariables() : {};
    return new ScenarioPlayer(workshop, scenario, { ...variables, ...workshop.watchPrograms() });
  }

  /** The fault of the first step that goes wrong. */
  async play(): Promise<string | undefined> {
    const steps = this.#scenario.steps ?? [];
    const restore = setVariables(this.#variables);
    try {
      if (steps.some((step) => step.do === 'kill' && step['who'] === 'host')) await this.#openElsewhere();
      else if (!steps.some((step) => step.do === 'create')) await this.#create({});
      for (const [index, step] of steps.entries()) {
        const fault = await this.#step(step);
        if (fault !== undefined) return `step ${index + 1} (${step.do}): ${fault}`;
      }
      return undefined;
    } finally {
      restore();
    }
  }

  async close(): Promise<void> {
    await this.#session?.close();
    this.#hostProcess?.kill();
    await this.#host.close();
    rmSync(this.#cacheDir, { recursive: true, force: true });
  }

  async #step(step: Step): Promise<string | undefined> {
    const { start } = step;
    if (typeof start === 'string') {
      this.#started.set(start, this.#resultOf({ ...step, start: undefined }));
      return undefined;
    }
    const pending = typeof step['of'] === 'string' ? this.#started.get(step['of']) : undefined;
    const result = await within(this.#boundOf(step), pending ?? this.#resultOf(step));
    const { expect } = step;
    if ('error' in result) {
      const wanted = (expect as { error?: ExpectedError } | undefined)?.error;
      return wanted === undefined ? `got ${describe(result.error)}` : judgeError(wanted, result.error);
    }
    if (expect === undefined || expect === 'ok') return undefined;
    return judgeValue(expect, result.value);
  }

  #boundOf(step: Step): number {
    const bound = step['within_ms'];
    return step.do === 'processes' || typeof bound !== 'number' ? STEP_TIMEOUT_MS : bound + GONE_SLACK_MS;
  }

  async #resultOf(step: Step): Promise<Result> {
    try {
      return { value: await this.#do(step) };
    } catch (error) {
      return { error };
    }
  }

  #do(step: Step): unknown {
    const verb = VERBS[step.do];
    if (verb === undefined) throw new TypeError(`the adapter knows no step '${step.do}'`);
    return verb(this.#tools(), step);
  }

  #tools(): Tools {
    return {
      session: () => this.#open(),
      create: (step) => this.#create(step),
      taps: this.#taps,
      saved: this.#saved,
      events: this.#events,
      pids: this.#pids,
      workshop: this.#workshop,
      cacheDir: this.#cacheDir,
      host: this.#host,
      hostProcess: this.#hostProcess,
      manifest: () => this.#manifest(this.#scenario.setup ?? {}),
      startedPrograms: (programs) => this.#workshop.startedPrograms(programs).slice(this.#startedAtCreate).length,
    };
  }

  #open(): PipelineSession {
    if (this.#session === undefined) throw new TypeError('no session has been created');
    return this.#session;
  }

  async #create(step: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (typeof step['times'] === 'number') return this.#createMany(step['times'], Number(step['hosts'] ?? 1));
    if (typeof step['processes'] === 'number') return this.#createElsewhere(step);
    await this.#session?.close();
    this.#startedAtCreate = this.#workshop.startedPrograms(['uv', 'pip']).length;
    this.#workshop.warnings.length = 0;
    const restore = setVariables((step['env'] ?? {}) as Record<string, string>);
    try {
      const { manifest, baseDir } = this.#manifest({ ...this.#scenario.setup, ...step });
      this.#session = await this.#host.session(manifest, baseDir === undefined ? {} : { baseDir });
    } finally {
      restore();
    }
    this.#session.on('node-ended', (event) => this.#events.push({ event: 'node-ended', ...event }));
    return 'ok';
  }

  async #createMany(times: number, hosts: number): Promise<unknown> {
    const all = Array.from({ length: hosts }, () => this.#newHost());
    try {
      const { manifest } = this.#manifest(this.#scenario.setup ?? {});
      const sessions: PipelineSession[] = [];
      for (let n = 0; n < times; n += 1) sessions.push(await (all[n % hosts] ?? this.#host).session(manifest));
      return { distinct_session_ids: new Set(sessions.map(({ id }) => id)).size };
    } finally {
      await Promise.all(all.map((host) => host.close()));
    }
  }

  /** So many host processes at once, each doing the same steps. */
  async #createElsewhere(step: Readonly<Record<string, unknown>>): Promise<string> {
    const { manifest } = this.#manifest(step);
    const processes = Array.from({ length: Number(step['processes']) }, () => HostProcess.start(this.#cacheDir));
    try {
      for (const [text, wanted] of textPairs(step['then'] as readonly Step[])) {
        const answers = await Promise.all(processes.map(async (process) => (await process).run(manifest, text)));
        const odd = answers.find((answer) => answer !== wanted);
        if (odd !== undefined) throw new Error(`expected '${wanted}' from every process, got ${String(odd)}`);
      }
      return 'ok';
    } finally {
      for (const process of processes) (await process).kill();
    }
  }

  /** The session lives in a host process of its own, which a step will kill. */
  async #openElsewhere(): Promise<void> {
    this.#hostProcess = await HostProcess.start(this.#cacheDir);
    this.#pids.push(...(await this.#hostProcess.open(this.#manifest(this.#scenario.setup ?? {}).manifest)));
  }

  #manifest(setup: Readonly<Record<string, unknown>>): { manifest: string | object; baseDir?: string } {
    const { directory } = this.#workshop;
    if (typeof setup['manifest'] === 'string' && setup['plugins'] === undefined) {
      return { manifest: join(directory, setup['manifest']) };
    }
    const plugin = setup['plugin'] as string | undefined;
    const node = {
      id: 'n',
      node_type: setup['node_type'],
      ...(setup['params'] === undefined ? {} : { params: setup['params'] }),
    };
    const plugins = setup['plugins'] ?? (plugin === undefined ? [] : [`./${plugin}`]);
    const manifest = { version: 'v1', metadata: {}, connections: [], plugins, nodes: [node] };
    return { manifest, baseDir: directory };
  }

  #newHost(): Host {
    const host = this.#workshop.newHost({ cacheDir: this.#cacheDir });
    host.on('load', ({ pid }) => pid !== undefined && this.#pids.push(pid));
    return host;
  }
}

/** What steps work with. */
interface Tools {
  readonly session: () => PipelineSession;
  readonly create: (step: Step) => Promise<unknown>;
  readonly taps: Map<string, Tap>;
  readonly saved: Map<string, string>;
  readonly events: Record<string, unknown>[];
  readonly pids: readonly number[];
  readonly workshop: Workshop;
  readonly cacheDir: string;
  readonly host: Host;
  readonly hostProcess: HostProcess | undefined;
  readonly manifest: () => { manifest: string | object; baseDir?: string };
  readonly startedPrograms: (programs: readonly string[]) => number;
}

const text = (value: unknown): string => String(value);

/** What each step does. */
const VERBS: Readonly<Record<string, (tools: Tools, step: Step) => unknown>> = {
  create: (tools, step) => tools.create(step),
  send: sendText,
  receive: async (tools, step) => {
    const output = await tools.session().receive();
    if (output?.error !== undefined) throw output.error;
    const got = output === undefined ? null : textOfData(output.data);
    if (step['save_as'] !== undefined) tools.saved.set(text(step['save_as']), text(got));
    return got;
  },
  finish: (_, step) => {
    throw new TypeError(`nothing called '${text(step['of'])}' was started`);
  },
  receive_all: (tools) => receiveAll(tools.session()),
  receive_count: (tools, step) => receiveCount(tools.session(), Number(step['n']), Number(step['pause_ms'] ?? 0)),
  end_input: (tools) => tools.session().inputComplete(),
  close: (tools) => tools.session().close(),
  subscribe: (tools, step) => {
    tools.taps.set(text(step['as']), tools.session().control().subscribe(text(step['address'])));
  },
  publish: (tools, step) => tools.session().control().publish(text(step['address']), text(step['text'])),
  read: async (tools, step) => textOfData(await tapOf(tools, step).recv()),
  read_all: async (tools, step) => (await tapOf(tools, step).drain()).map(textOfData),
  read_until: readUntil,
  node_state: (tools, step) => {
    const state = text(step['state']).toLowerCase() as 'enabled' | 'bypass' | 'disabled';
    tools.session().control().setNodeState(text(step['node']), state);
  },
  clear_node_state: (tools, step) => tools.session().control().clearNodeState(text(step['node'])),
  settle: (tools, step) => tools.session().control().settled(text(step['node'])),
  intercept: (tools, step) => void decide(tools, step),
  call: callMethod,
  published: (tools, step) => tools.session().control().published(text(step['address'])),
  unary: runUnary,
  kill: killSomething,
  processes: countProcesses,
  events: (tools) => tools.events,
  warnings: (tools) => [...new Set([...tools.workshop.warnings, ...tools.session().warnings])],
  cache_entries: ({ cacheDir }) => ({ count: entriesOf(join(cacheDir, 'plugins')).length }),
  requests: ({ workshop }, step) =>
    workshop.requests.filter(
      ({ path, headers }) =>
        (step['path_has'] === undefined || path.includes(text(step['path_has']))) &&
        (step['header'] === undefined || headers[text(step['header'])] !== undefined),
    ).length,
  started: (tools, step) => tools.startedPrograms(step['programs'] as string[]),
  network: (_, step) => {
    if (step['state'] === 'off') Object.assign(process.env, NETWORK_OFF);
    else for (const name of Object.keys(NETWORK_OFF)) Reflect.deleteProperty(process.env, name);
  },
  clear: ({ cacheDir }) => rmSync(join(cacheDir, 'environments'), { recursive: true, force: true }),
};

async function sendText(tools: Tools, step: Step): Promise<unknown> {
  const session = tools.session();
  await session.send(textOf(step));
  const wanted = step['expect_error'] as ExpectedError | undefined;
  if (wanted === undefined) return undefined;
  const output = await session.receive();
  const fault =
    output?.error === undefined
      ? 'expected an error'
      : judgeError(wanted, output.error, { node: output.node, turn: output.turn });
  if (fault !== undefined) throw new Error(fault);
  return undefined;
}

async function receiveAll(session: PipelineSession): Promise<unknown[]> {
  const texts: unknown[] = [];
  for await (const { data, error } of session) {
    if (error !== undefined) throw error;
    texts.push(textOfData(data));
  }
  return texts;
}

/** The pause is spent in slices: a timer cannot wait for a tenth of a millisecond. */
async function receiveCount(session: PipelineSession, count: number, pauseMs: number): Promise<unknown[]> {
  const texts: unknown[] = [];
  let owedMs = 0;
  while (texts.length < count) {
    const output = await session.receive();
    if (output === undefined) break;
    if (output.error !== undefined) throw output.error;
    texts.push(textOfData(output.data));
    owedMs += pauseMs;
    if (owedMs < 5) continue;
    await new Promise((resolve) => setTimeout(resolve, owedMs));
    owedMs = 0;
  }
  return texts;
}

async function readUntil(tools: Tools, step: Step): Promise<unknown[]> {
  const wanted = step['json_has'] as Record<string, unknown>;
  const seen: unknown[] = [];
  for (;;) {
    const data = await tapOf(tools, step).recv();
    const value = data?.type === 'json' ? (data.value as Record<string, unknown>) : undefined;
    if (value === undefined) continue;
    seen.push(value);
    if (Object.entries(wanted).every(([key, part]) => value[key] === part)) return seen;
  }
}

async function decide({ session }: Tools, step: Step): Promise<void> {
  const intercept = session().control().intercept(text(step['address']), Number(step['deadline_ms']));
  for (const decision of step['decisions'] as string[]) {
    const request = await intercept.recv();
    if (request === undefined) return;
    const word = decision.toLowerCase() as 'pass' | 'replace' | 'drop';
    intercept.complete(request.correlationId, word, { type: 'text', data: text(step['text'] ?? '') });
  }
}

async function callMethod({ session }: Tools, step: Step): Promise<unknown> {
  const method = session().node(text(step['node']))[text(step['method'])];
  if (method === undefined) throw new TypeError('a node proxy has every method');
  const kwargs = (step['kwargs'] ?? {}) as Record<string, unknown>;
  const timeoutMs = step['timeout_ms'] as number | undefined;
  const call = method.invoke({
    args: (step['args'] ?? []) as unknown[],
    kwargs,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const isStream = step['stop_after'] !== undefined || Object.hasOwn(Object(step['expect']) as object, 'values');
  if (!isStream) return { value: (await call) ?? null };
  const values: unknown[] = [];
  for await (const value of call) {
    values.push(value);
    if (values.length === step['stop_after']) break;
  }
  return { values };
}

async function runUnary(tools: Tools, step: Step): Promise<unknown> {
  const { manifest, baseDir } = tools.manifest();
  const { outputs, errors } = await executePipeline(manifest, step['inputs'] as string[], {
    host: tools.host,
    failFast: step['fail_fast'] === true,
    ...(baseDir === undefined ? {} : { baseDir }),
  });
  const wanted = (step['errors'] ?? []) as ExpectedError[];
  if (wanted.length !== errors.length) throw new Error(`expected ${wanted.length} errors, got ${errors.length}`);
  for (const [index, expected] of wanted.entries()) {
    const { node = '', input = 0, error } = errors[index] ?? {};
    const fault = judgeError(expected, error, { node, turn: input });
    if (fault !== undefined) throw new Error(fault);
  }
  return outputs.map(({ data }) => textOfData(data));
}

function killSomething({ pids, hostProcess }: Tools, step: Step): void {
  const signal = text(step['signal']) as NodeJS.Signals;
  if (step['who'] === 'host') hostProcess?.kill(signal);
  else process.kill(pids.at(-1) ?? 0, signal);
}

async function countProcesses({ pids, saved }: Tools, step: Step): Promise<number> {
  const all = step['pid'] === undefined ? pids : [Number(saved.get(text(step['pid'])))];
  const end = performance.now() + Number(step['within_ms'] ?? 0) + GONE_SLACK_MS;
  for (;;) {
    const left = all.filter(isAlive).length;
    if (left === step['expect'] || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function tapOf({ taps }: Tools, step: Step): Tap {
  const tap = taps.get(text(step['from']));
  if (tap === undefined) throw new TypeError(`there is no tap '${text(step['from'])}'`);
  return tap;
}

function textOfData(data: RuntimeData | null | undefined): unknown {
  if (data === null || data === undefined) return null;
  return data.type === 'text' ? data.data : data.type === 'json' ? data.value : data.type;
}

/** The fault of a step's value. */
function judgeValue(expect: unknown, value: unknown): string | undefined {
  const fault = `expected ${JSON.stringify(expect)}, got ${(JSON.stringify(value) ?? 'nothing').slice(0, 400)}`;
  if (typeof expect !== 'object' || expect === null || Array.isArray(expect)) {
    return JSON.stringify(expect) === JSON.stringify(value) ? undefined : fault;
  }
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const isRight = Object.entries(expect).every(([key, wanted]) => isSo(key, wanted, { value, list }));
  return isRight ? undefined : fault;
}

function isSo(key: string, wanted: unknown, { value, list }: { value: unknown; list: readonly unknown[] }): boolean {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  switch (key) {
    case 'count':
      return (Array.isArray(value) ? list.length : (value as { count?: number }).count) === wanted;
    case 'first':
      return same(list[0], wanted);
    case 'last':
      return same(list.at(-1), wanted);
    case 'cycle':
      return (
        list.length > 0 &&
        list.every((item, index) => same(item, (wanted as unknown[])[index % (wanted as unknown[]).length]))
      );
    case 'has_null':
      return list.includes(null) === wanted;
    case 'count_below':
      return list.length < Number(wanted);
    case 'pattern':
      return matchAll([String(wanted)], [String(value)]);
    case 'has':
      return (wanted as unknown[]).every((part) => list.some((item) => holds(item, part)));
    case 'all_have_keys':
      return list.every((item) => (wanted as string[]).every((name) => Object.hasOwn(item as object, name)));
    case 'statuses_in_order':
      return isSubsequence(
        wanted as string[],
        list.map((item) => (item as { status?: unknown }).status),
      );
    default:
      return same((value as Record<string, unknown>)[key], wanted);
  }
}

function holds(item: unknown, part: unknown): boolean {
  if (typeof part === 'string') return String(item).includes(part);
  const fields = item as Record<string, unknown>;
  return Object.entries(part as object).every(([key, wanted]) => fields[key] === wanted);
}

function isSubsequence(wanted: readonly unknown[], list: readonly unknown[]): boolean {
  let at = 0;
  for (const item of list) if (item === wanted[at]) at += 1;
  return at >= wanted.length;
}

function textPairs(steps: readonly Step[]): (readonly [string, string])[] {
  const sent = steps.filter((step) => step.do === 'send').map(textOf);
  const received = steps.filter((step) => step.do === 'receive').map((step) => text(step['expect']));
  return sent.map((input, index) => [input, received[index] ?? ''] as const);
}

function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
}
