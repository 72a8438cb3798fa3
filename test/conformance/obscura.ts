/** Runs the recorded cases of an Obscura fixtures directory against our API. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CaseResult } from './case-result.ts';
import { readCases, type After, type Expectation, type RecordedCase, type Requirement } from './obscura-cases.ts';
import { everything, judge, judgeDiagnostic, judgeReason, judgeValidation, shorten } from './obscura-judge.ts';
import { perform, type Outcome } from './obscura-operations.ts';
import { optionsOf, SharedRunner } from './obscura-runs.ts';
import { Workspace } from './obscura-workspace.ts';

/** How much longer than recorded a call may take: cases are recorded on a quiet machine. */
const SLACK = 1.5;
/** How much earlier than recorded a call may settle, in milliseconds: timers of two processes are compared. */
const EARLY_MS = 60;
/** How long what a call leaves behind may take to be gone, in milliseconds: the promise of the host. */
const GONE_WITHIN_MS = 2_000;

/** Runs every case of a directory, in order. */
export async function runCases(directory: string): Promise<CaseResult[]> {
  const cases = new ObscuraCases(directory);
  try {
    const results: CaseResult[] = [];
    for (const recorded of readCases(directory)) results.push(await cases.run(recorded));
    return results;
  } finally {
    await cases.close();
  }
}

/** The cases of one directory, with the host that they share. */
export class ObscuraCases {
  readonly #directory: string;
  readonly #cacheDir: string;
  readonly #shared: SharedRunner;

  constructor(directory: string) {
    this.#directory = directory;
    this.#cacheDir = mkdtempSync(join(tmpdir(), 'charmer-cases-'));
    this.#shared = new SharedRunner(this.#cacheDir);
  }

  async run(recorded: RecordedCase): Promise<CaseResult> {
    const { id } = recorded;
    const skipped = reasonToSkip(recorded);
    if (skipped !== undefined) return { id, outcome: 'skipped', reason: skipped };
    const faults = [await this.#judged(recorded), await this.#judgedWithOption(recorded)].filter(
      (fault) => fault !== undefined,
    );
    return faults.length === 0 ? { id, outcome: 'passed' } : { id, outcome: 'failed', reason: faults.join('; ') };
  }

  async close(): Promise<void> {
    await this.#shared.close();
    rmSync(this.#cacheDir, { recursive: true, force: true });
  }

  async #judged(recorded: RecordedCase): Promise<string | undefined> {
    return this.#perform(recorded, {}, async (outcome, workspace) => {
      const required = requirementOf(recorded);
      const expectation = expectationOf(recorded);
      const judgement = { recorded, workspace, outcome };
      const faults = [
        expectation === undefined ? undefined : judge(expectation, judgement),
        required?.never !== undefined && judge(required.never, judgement) === undefined
          ? `never ${shorten(required.never)}`
          : undefined,
        ...judgeRequirement(required, outcome),
        judgeTime(recorded, outcome),
        await judgeAfter(afterOf(recorded), { outcome, workspace }),
      ];
      return faults.find((fault) => fault !== undefined);
    });
  }

  async #judgedWithOption(recorded: RecordedCase): Promise<string | undefined> {
    const { withOption } = recorded.ours ?? {};
    if (withOption === undefined) return undefined;
    const options = optionsOf(withOption.option);
    if (options === undefined) return `the adapter knows no option '${withOption.option}'`;
    const expectation = withOption.expected === 'unchanged' ? expectationOf(recorded) : withOption.expected;
    if (expectation === undefined) return undefined;
    const fault = await this.#perform(recorded, options, async (outcome, workspace) =>
      judge(expectation, { recorded, workspace, outcome }),
    );
    return fault === undefined ? undefined : `with option '${withOption.option}': ${fault}`;
  }

  async #perform(
    recorded: RecordedCase,
    options: Parameters<typeof perform>[0]['options'],
    look: (outcome: Outcome, workspace: Workspace) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const workspace = await Workspace.open(this.#directory, recorded);
    const faults: unknown[] = [];
    const onFault = (fault: unknown): void => void faults.push(fault);
    process.on('uncaughtExceptionMonitor', onFault);
    try {
      const outcome = await perform({ recorded, workspace, shared: this.#shared, options });
      const fault = await look(outcome, workspace);
      return fault ?? (faults.length === 0 ? undefined : `errors escaped to the process: ${everything(faults)}`);
    } catch (error) {
      return `the case could not be run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    } finally {
      process.off('uncaughtExceptionMonitor', onFault);
      await workspace.close();
    }
  }
}

function reasonToSkip({ op, ours }: RecordedCase): string | undefined {
  if (op === 'http') return 'installing, updating and removing belong to the store, which is not there yet';
  if (op === 'index') return 'fetching a registry index belongs to the store, which is not there yet';
  if (ours?.manual === true) return 'asks for a test written by hand';
  return undefined;
}

/**
 * What is required of us. A stored key whose salt, IV or tag has another size than it must have is refused (W42), though
 * the recorded cases say so in a note only.
 */
function requirementOf(recorded: RecordedCase): Requirement | undefined {
  const { ours, call, expected } = recorded;
  if (ours !== undefined || call['function'] !== 'decryptAuthValue' || expected?.kind !== 'value') return ours;
  const [sealed] = call['arguments'] as string[];
  const sizes = (sealed ?? '').split(':').map((part) => Buffer.from(part, 'base64').length);
  const isRight = sizes[0] === 16 && sizes[1] === 12 && sizes[3] === 16;
  return isRight ? undefined : { weakness: 'W42', expected: { kind: 'error' } };
}

/** Every field of a requirement that is judged, and those that say something else. */
const KNOWN_REQUIREMENTS = new Set([
  ...['weakness', 'expected', 'diagnostic', 'validate', 'withOption', 'settles', 'processFaults', 'after', 'processes'],
  ...[
    'envelope',
    'peak',
    'status',
    'never',
    'replacementCharacters',
    'prototypeKeys',
    'errorIncludes',
    'everyValueAtMost',
  ],
  // Whether a package is installed is judged with the store: until then validation must at least say why it would not be.
  ...['hostMemoryRiseAtMostBytes', 'manual', 'note', 'install', 'reason'],
]);

function expectationOf(recorded: RecordedCase): Expectation | undefined {
  const required = requirementOf(recorded)?.expected;
  if (required !== undefined && required !== 'same') return required;
  return recorded.expected ?? undefined;
}

function judgeRequirement(required: Requirement | undefined, outcome: Outcome): (string | undefined)[] {
  if (required === undefined) return [];
  const unknown = Object.keys(required).filter((field) => !KNOWN_REQUIREMENTS.has(field));
  const faults: (string | undefined)[] = unknown.map((field) => `the adapter knows no requirement '${field}'`);
  const { diagnostic, validate, processes, envelope, peak, status, errorIncludes, everyValueAtMost } = required;
  if (diagnostic !== undefined) faults.push(judgeDiagnostic(diagnostic, outcome));
  if (validate !== undefined) faults.push(judgeValidation(validate, outcome.validation ?? []));
  if (processes !== undefined) faults.push(differs('processes', processes, outcome.reports.length));
  if (peak !== undefined) faults.push(differs('peak', peak, outcome.peak));
  if (required.reason !== undefined) faults.push(judgeReason(required.reason, outcome));
  if (status !== undefined) faults.push(judgeStatus(status, outcome.status ?? {}));
  if (envelope !== undefined) faults.push(judgeEnvelopes(envelope, outcome));
  if (errorIncludes !== undefined) faults.push(judgeRowErrors(errorIncludes, outcome.value));
  if (everyValueAtMost !== undefined) faults.push(judgeMost(everyValueAtMost, outcome.values ?? []));
  if (required.replacementCharacters !== undefined) {
    faults.push(
      differs(
        'replacement characters',
        required.replacementCharacters,
        String(outcome.value).split('\uFFFD').length - 1,
      ),
    );
  }
  if (required.prototypeKeys !== undefined) {
    faults.push(differs('keys of the prototype', shorten(required.prototypeKeys), shorten(outcome.prototypeKeys)));
  }
  if (
    required.hostMemoryRiseAtMostBytes !== undefined &&
    (outcome.memoryRiseBytes ?? 0) > required.hostMemoryRiseAtMostBytes
  ) {
    faults.push(
      `expected memory to rise by at most ${required.hostMemoryRiseAtMostBytes} bytes, it rose by ${outcome.memoryRiseBytes}`,
    );
  }
  return faults;
}

function differs(what: string, wanted: unknown, got: unknown): string | undefined {
  return wanted === got ? undefined : `expected ${what} ${String(wanted)}, got ${String(got)}`;
}

function judgeStatus(
  wanted: Readonly<Record<string, string>>,
  got: Readonly<Record<string, string>>,
): string | undefined {
  return Object.entries(wanted).every(([key, state]) => got[key] === state)
    ? undefined
    : `expected status ${shorten(wanted)}, got ${shorten(got)}`;
}

function judgeEnvelopes(
  { has = [], lacks = [] }: NonNullable<Requirement['envelope']>,
  { envelopes = [] }: Outcome,
): string | undefined {
  const isRight = envelopes.every(
    (envelope) =>
      has.every((key) => Object.hasOwn(envelope, key)) && !lacks.some((key) => Object.hasOwn(envelope, key)),
  );
  return isRight
    ? undefined
    : `expected envelopes with ${has.join()} and without ${lacks.join()}, got ${shorten(envelopes)}`;
}

function judgeRowErrors(texts: readonly string[], value: unknown): string | undefined {
  const errors = (Array.isArray(value) ? value : [])
    .map((row: { error?: unknown }) => row.error)
    .filter((error) => error !== undefined);
  const isTold = errors.length > 0 && errors.every((error) => texts.every((text) => everything(error).includes(text)));
  return isTold
    ? undefined
    : `expected rows whose errors hold ${shorten(texts)}, got ${everything(errors).slice(0, 300)}`;
}

function judgeMost(limits: Readonly<Record<string, number>>, values: readonly unknown[]): string | undefined {
  const isWithin = values.every((value) =>
    Object.entries(limits).every(([field, most]) => {
      const number = (value as Record<string, unknown> | undefined)?.[field];
      return typeof number === 'number' && number <= most;
    }),
  );
  return isWithin ? undefined : `expected at most ${shorten(limits)} in every value, got ${shorten(values)}`;
}

function judgeTime(recorded: RecordedCase, { elapsedMs }: Outcome): string | undefined {
  const bounds = recorded.ours?.settles ?? recorded.settles;
  if (bounds === undefined || bounds === null) return undefined;
  const [least, most] = bounds;
  if (elapsedMs >= least - EARLY_MS && elapsedMs <= most * SLACK) return undefined;
  return `expected to settle within ${least} to ${most} ms, took ${Math.round(elapsedMs)} ms`;
}

function afterOf(recorded: RecordedCase): After {
  return { ...recorded.expected?.after, ...recorded.ours?.after };
}

/** What must be gone is given the time that the host promises; the kernel reports no such event. */
async function judgeAfter(
  after: After,
  seen: { readonly outcome: Outcome; readonly workspace: Workspace },
): Promise<string | undefined> {
  const { workspace, outcome } = seen;
  for (const name of after.filesPresent ?? []) {
    if (!existsSync(join(workspace.directory, name))) return `expected the file '${name}' to be there`;
  }
  const pids = [...pidsIn(after, workspace)];
  const groups = after.noneAlive === true ? outcome.reports.flatMap(({ pid }) => (pid === undefined ? [] : [pid])) : [];
  const end = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const alive = [...pids.filter(isAlive), ...groups.flatMap(membersOf)];
    if (alive.length === 0) return undefined;
    if (performance.now() > end) return `expected no process to be left, ${alive.join()} live on`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function* pidsIn({ noneAlive, pidGone }: After, workspace: Workspace): Generator<number> {
  if (typeof noneAlive === 'string') {
    const file = join(workspace.directory, noneAlive);
    if (existsSync(file)) yield* Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>);
  }
  if (pidGone === undefined) return;
  const file = workspace.fill(pidGone);
  if (existsSync(file)) yield Number(readFileSync(file, 'utf8'));
}

/** A zombie has ended: only its parent has not asked yet. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function membersOf(group: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isAlive(pid) && Number(statOf(pid)?.[2]) === group);
}

/** State, parent and group of a process, or undefined when there is none. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
