import type { PluginHandle } from '../../../src/doors/fidius.ts';
import { CharmerError } from '../../../src/errors.ts';
import { literalText, NumberLiteral, parseLiterals, type Literal } from './literal-json.ts';
import { parseNeutral, sameLiteral } from './neutral.ts';
import { errorDifference, outcomeOf } from './outcome.ts';
import type { CaseInput, RecordedValue, Step, StepResult } from './recorded.ts';
import { retDifference, sentJson, type RecordedTypes, type Verdict } from './values-sections.ts';
import type { World } from './world.ts';

/** What the comparison of a step needs. */
export interface StepContext {
  readonly world: World;
  readonly input: CaseInput;
  readonly types: RecordedTypes;
  readonly values: Readonly<Record<string, RecordedValue>>;
  readonly isStrict: boolean;
}

/** Most items that may be asked for ahead of the consumer: the runner's window, doubled for a fast consumer. */
const WINDOW = 256;
/** Round trips to the plugin's process within which a dropped stream must have ended. */
const MOST_LOOKS = 400;

/** Runs one step and compares it with its record. */
export async function runStep(step: Step, recorded: StepResult, context: StepContext): Promise<Verdict> {
  switch (step.op) {
    case 'load':
      return loadStep(step, recorded, context);
    case 'call':
      return callStep(step, recorded, context);
    case 'raw':
      return rawStep(step, recorded, context);
    case 'stream':
    case 'bidi':
      return streamStep(step, recorded, context);
    case 'client':
      return clientStep(step, recorded, context);
    default:
      return { skipped: `a step of kind '${step.op}' looks at the original's own process` };
  }
}

async function loadStep(step: Step, recorded: StepResult, context: StepContext): Promise<Verdict> {
  if (step.config !== undefined && step.config.json === undefined) {
    return { skipped: 'the recorded configuration has no JSON form' };
  }
  const outcome = await outcomeOf(() => context.world.load(step, context.input));
  if ('err' in outcome) {
    if (recorded.err === undefined) return `refused: ${outcome.err.message}`;
    return errorDifference(outcome.err, recorded.err, context.world.normalise);
  }
  if (recorded.err !== undefined) {
    // Without the SDK on its path the original cannot import it; ours is always there.
    const isWithoutSdk = context.input.sdk_on_pythonpath === false && recorded.err.text.includes("'fidius'");
    return isWithoutSdk ? undefined : `loaded, expected ${recorded.err.text}`;
  }
  const { name, interfaceName, interfaceHash, interfaceVersion, runtime } = outcome.ok.info();
  const ours = { hash: interfaceHash, interface: interfaceName, name, runtime, version: interfaceVersion };
  const { hash, interface: trait, name: id, runtime: kind, version } = recorded.ok as Record<string, unknown>;
  const theirs = { hash, interface: trait, name: id, runtime: kind, version: Number((version as NumberLiteral).text) };
  return JSON.stringify(ours) === JSON.stringify(theirs)
    ? undefined
    : `${JSON.stringify(ours)}, expected ${JSON.stringify(theirs)}`;
}

async function callStep(step: Step, recorded: StepResult, context: StepContext): Promise<Verdict> {
  const json = argumentsOf(step, context);
  if (json === undefined) return { skipped: 'the recorded arguments have no JSON form' };
  const handle = context.world.handle(step);
  const outcome = await outcomeOf(() => handle.callTypedJson(numberOf(step.method), json));
  return resultDifference(outcome, step, { recorded, context });
}

function resultDifference(
  outcome: { readonly ok: Uint8Array } | { readonly err: CharmerError },
  step: Step,
  { recorded, context }: { recorded: StepResult; context: StepContext },
): string | undefined {
  const { world, isStrict, types } = context;
  if ('err' in outcome) {
    if (recorded.err !== undefined) return errorDifference(outcome.err, recorded.err, world.normalise);
    // A generator's text is what the original hands back; ours says that it is no value.
    const isObjectText = typeof recorded.neutral === 'string' && recorded.neutral.startsWith('String("<generator');
    return !isStrict && isObjectText && outcome.err.code === 'RESULT_INVALID'
      ? undefined
      : `refused: ${outcome.err.message}`;
  }
  if (step.ret !== undefined && step.ret !== 'neutral')
    return retDifference(outcome.ok, recorded, { ret: step.ret, types, isStrict });
  if (typeof recorded.neutral !== 'string') return `returned, expected ${JSON.stringify(recorded)}`;
  return itemDifference(parseLiterals(Buffer.from(outcome.ok).toString()), recorded.neutral, context);
}

function itemDifference(ours: Literal, neutral: string, { world, isStrict }: StepContext): string | undefined {
  const theirs = parseNeutral(world.normalise(neutral));
  const mine = parseLiterals(world.normalise(literalText(ours)));
  if (sameLiteral(mine, theirs)) return undefined;
  // The iterator of a client stream is of another class and has more methods than the original's.
  const isIteratorReport = !isStrict && Array.isArray(theirs) && theirs[0] === 'HostFedStream' && Array.isArray(mine);
  if (isIteratorReport) return mine[1] === true && mine[2] === true ? undefined : 'no iterator';
  return `${literalText(mine)}, expected ${neutral}`;
}

async function rawStep(step: Step, recorded: StepResult, context: StepContext): Promise<Verdict> {
  const length = step.repeat === undefined ? undefined : numberOf(step.repeat);
  const bytes =
    length === undefined
      ? Uint8Array.from((step.bytes ?? []) as unknown as NumberLiteral[], (value) => Number(value.text))
      : Uint8Array.from({ length }, (_, index) => index % 251);
  const outcome = await outcomeOf(() => context.world.handle(step).callRaw(numberOf(step.method), bytes));
  if ('err' in outcome) {
    if (recorded.err === undefined) return `refused: ${outcome.err.message}`;
    return errorDifference(outcome.err, recorded.err, context.world.normalise);
  }
  const numbers = (list: unknown): number[] => (list as NumberLiteral[]).map((value) => Number(value.text));
  const result = [...outcome.ok];
  if (recorded.ok_bytes !== undefined) return same(result, numbers(recorded.ok_bytes));
  if (recorded.ok_len === undefined) return `returned ${result.length} bytes, expected an error`;
  return (
    same([result.length], [numberOf(recorded.ok_len)]) ??
    same(result.slice(0, 8), numbers(recorded.ok_head)) ??
    same(result.slice(-8), numbers(recorded.ok_tail))
  );
}

function same(ours: readonly number[], theirs: readonly number[]): string | undefined {
  return JSON.stringify(ours) === JSON.stringify(theirs)
    ? undefined
    : `${JSON.stringify(ours)}, expected ${JSON.stringify(theirs)}`;
}

async function streamStep(step: Step, recorded: StepResult, context: StepContext): Promise<Verdict> {
  const json = argumentsOf(step, context);
  const producer = step.op === 'bidi' ? producerOf(step, context) : undefined;
  if (json === undefined || (step.op === 'bidi' && producer === undefined))
    return { skipped: 'a recorded value has no JSON form' };
  const handle = context.world.handle(step);
  const started = await outcomeOf(async () =>
    producer === undefined
      ? handle.callStreamingJson(numberOf(step.method), json)
      : handle.callBidiStreamingJson(numberOf(step.method), producer.items(), json),
  );
  const items =
    'err' in started
      ? [started.err]
      : await collect(started.ok, step.take === undefined ? undefined : numberOf(step.take));
  return (
    streamDifference(items, recorded, { step, context }) ??
    (producer === undefined ? undefined : await pullsDifference(producer.log, recorded)) ??
    (await eventsDifference(step, recorded, context))
  );
}

/** Items of a stream, up to its end or its error, or the first few. */
async function collect(
  stream: AsyncIterable<Uint8Array>,
  take: number | undefined,
): Promise<(Uint8Array | CharmerError | 'END')[]> {
  const items: (Uint8Array | CharmerError | 'END')[] = [];
  if (take === 0) return items;
  try {
    for await (const item of stream) {
      items.push(item);
      if (items.length === take) return items;
    }
  } catch (error) {
    if (!(error instanceof CharmerError)) throw error;
    items.push(error);
  }
  return [...items, 'END'];
}

function streamDifference(
  ours: readonly (Uint8Array | CharmerError | 'END')[],
  recorded: StepResult,
  { step, context }: { step: Step; context: StepContext },
): string | undefined {
  const { isStrict, world } = context;
  const [first] = ours;
  if (recorded.err !== undefined) {
    if (!(first instanceof CharmerError)) {
      // Coroutines and async generators stream here.
      return !isStrict && /'(?:async_generator|coroutine)'/.test(recorded.err.text) ? undefined : 'no error';
    }
    // In its own words where the conversions are our own.
    if (!isStrict && recorded.err.kind === 'Serialization' && first.code === 'RESULT_INVALID') return undefined;
    return errorDifference(first, recorded.err, world.normalise);
  }
  // Where the original's host panics, ours goes on quietly.
  if (recorded.items === undefined) return first instanceof CharmerError ? first.message : undefined;
  for (const [index, wanted] of recorded.items.entries()) {
    const item = ours[index];
    const reason = oneDifference(item, wanted, { step, context });
    if (reason !== undefined) return `item ${index}: ${reason}`;
    // A value that the original turns into text, or replaces by an error, ends the stream here.
    if (!isStrict && item instanceof CharmerError && item.code === 'RESULT_INVALID') return undefined;
  }
  return ours.length === recorded.items.length ? undefined : `${ours.length} items`;
}

function oneDifference(
  item: Uint8Array | CharmerError | 'END' | undefined,
  wanted: 'END' | StepResult,
  { step, context }: { step: Step; context: StepContext },
): string | undefined {
  if (wanted === 'END' || item === 'END' || item === undefined)
    return wanted === item ? undefined : `${String(item)}, expected ${JSON.stringify(wanted)}`;
  if (item instanceof CharmerError) {
    if (!context.isStrict && item.code === 'RESULT_INVALID') return undefined;
    return wanted.err === undefined ? item.message : errorDifference(item, wanted.err, context.world.normalise);
  }
  return resultDifference({ ok: item }, step, { recorded: wanted, context });
}

async function clientStep(step: Step, recorded: StepResult, context: StepContext): Promise<Verdict> {
  const json = argumentsOf(step, context);
  const producer = producerOf(step, context);
  if (json === undefined || producer === undefined) return { skipped: 'a recorded value has no JSON form' };
  const handle: PluginHandle = context.world.handle(step);
  const outcome = await outcomeOf(() => handle.callClientStreamingJson(numberOf(step.method), producer.items(), json));
  return resultDifference(outcome, step, { recorded, context }) ?? pullsDifference(producer.log, recorded);
}

/**
 * Laziness of a fed stream: nothing is pulled before Python asks; then at least what the original pulled, and at most a
 * window more. A producer that was started is dropped when the original's was.
 */
async function pullsDifference(log: readonly string[], recorded: StepResult): Promise<string | undefined> {
  if (recorded.pulls === undefined) return undefined;
  const count = (list: readonly string[]): number => new Set(list.filter((each) => /^pull (?:\d|end)/.test(each))).size;
  const [ours, theirs] = [count(log), count(recorded.pulls)];
  if (theirs === 0 && ours > 0) return `pulled ${ours} items that nobody asked for`;
  if (ours < Math.min(theirs, 2) || ours > theirs + WINDOW) return `pulled ${ours} items, expected about ${theirs}`;
  const isDropped = recorded.pulls.includes('producer dropped');
  if (!isDropped || ours === 0) return undefined;
  for (let look = 0; look < MOST_LOOKS && !log.includes('producer dropped'); look += 1) await new Promise(setImmediate);
  return log.includes('producer dropped') ? undefined : 'the producer was never dropped';
}

/**
 * What the plugin noticed of a stream. Everything but the items is equal and in order; items come in order, none is
 * missing that was taken, and at most a window was made ahead. A stream that nobody pulls is never started here.
 */
async function eventsDifference(step: Step, recorded: StepResult, { world }: StepContext): Promise<string | undefined> {
  const code = step.after_drop_probe;
  const wanted = recorded.probes?.at(-1)?.ok;
  if (code === undefined || wanted === undefined) return undefined;
  let reason: string | undefined;
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const events = (await world.probe(code)) as string[];
    reason = eventDifference(events, wanted, step.take === undefined ? undefined : numberOf(step.take));
    if (reason === undefined) return undefined;
  }
  return reason;
}

function eventDifference(
  ours: readonly string[],
  theirs: readonly string[],
  take: number | undefined,
): string | undefined {
  if (take === 0 && ours.length === 0) return undefined;
  if (take === undefined) return JSON.stringify(ours) === JSON.stringify(theirs) ? undefined : `events ${ours.join()}`;
  const isItem = (event: string): boolean => /^(?:yield|got|resumed) \d+$/.test(event);
  const rest = (list: readonly string[]): string => list.filter((event) => !isItem(event)).join();
  const items = ours.filter((event) => /^(?:yield|got) /.test(event)).length;
  // An iterator that was read to its end before the drop is not closed.
  const isExhausted = rest(ours) === '' && theirs.join() === 'close called';
  if (rest(ours) !== rest(theirs) && !isExhausted) return `events ${ours.join()}, expected ${theirs.join()}`;
  const known = theirs.some(isItem);
  return !known || (items >= take && items <= take + WINDOW) ? undefined : `${items} items made for ${take} taken`;
}

interface Producer {
  readonly log: string[];
  items(): AsyncGenerator<string>;
}

function producerOf(step: Step, context: StepContext): Producer | undefined {
  const texts = itemTexts(step, context);
  if (texts === undefined) return undefined;
  const log: string[] = [];
  return {
    log,
    async *items() {
      try {
        let index = 0;
        for (const text of texts) {
          log.push(`pull ${index}`);
          index += 1;
          yield text;
        }
        log.push('pull end');
      } finally {
        log.push('producer dropped');
      }
    },
  };
}

function itemTexts(step: Step, context: StepContext): Iterable<string> | undefined {
  const count = step.count === undefined ? undefined : numberOf(step.count);
  switch (step.items) {
    case 'u64_range':
      return Array.from({ length: count ?? 5 }, (_, index) => String(index + 1));
    case 'u64_infinite':
      return naturals();
    case 'f64_list':
      // The original sends null for what is not finite.
      return ['0.1', '0.7133652306121713', 'null', '-0.0'];
    case 'empty':
      return [];
    default: {
      const value = typeof step.items === 'string' ? context.values[step.items] : step.items;
      const json = value && sentJson(withRust(value, context), context.types, false);
      return json === undefined ? undefined : Array.from({ length: count ?? 1 }, () => json);
    }
  }
}

function* naturals(): Generator<string> {
  for (let index = 0; ; index += 1) yield String(index);
}

function argumentsOf(step: Step, context: StepContext): string | undefined {
  return step.args === undefined ? 'null' : sentJson(withRust(step.args, context), context.types, true);
}

/** A value that a step names has its Rust text in the table of values. */
function withRust(value: RecordedValue, { values }: StepContext): RecordedValue {
  return value.rust === undefined && value.value !== undefined ? { ...values[value.value], ...value } : value;
}

/** Numbers of the record keep their spelling. */
export function numberOf(value: unknown): number {
  return value instanceof NumberLiteral ? Number(value.text) : Number(value ?? 0);
}
