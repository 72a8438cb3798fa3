import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseInterfaceSource } from '../../src/formats/fidius/interface-source.ts';
import { describeNamed, describeType } from '../../src/formats/fidius/type-descriptor.ts';
import type { CaseResult } from './case-result.ts';
import { runEnvironment } from './fidius-calls/environment.ts';
import { parseLiterals } from './fidius-calls/literal-json.ts';
import { errorDifference, outcomeOf } from './fidius-calls/outcome.ts';
import type { Calls, CaseInput, Row, Step, StepResult } from './fidius-calls/recorded.ts';
import { runStep, type StepContext } from './fidius-calls/step-sections.ts';
import {
  hostToPython,
  pythonAsTypes,
  pythonToNeutral,
  type RecordedTypes,
  type Verdict,
} from './fidius-calls/values-sections.ts';
import { World } from './fidius-calls/world.ts';

/**
 * F20 to F34: `calls.json`, row by row, through the library door.
 *
 * Rows about values run twice. With the original's conversions (`strict`) values, errors and texts are equal to the
 * record. With our own they are equal or a superset that loses nothing: each rule stands beside the comparison that
 * allows it. Rows about the original's shared process are compared with what isolation must give instead.
 */
export async function runCallCases(directory: string): Promise<CaseResult[]> {
  const calls = parseLiterals(readFileSync(join(directory, 'calls.json'), 'utf8')) as unknown as Calls;
  const lossless = new World(calls, directory, false);
  const strict = new World(calls, directory, true);
  const types = await recordedTypes(calls);
  const suite: Suite = { calls, directory, types, world: lossless, isStrict: false };
  const strictSuite: Suite = { calls, directory, types, world: strict, isStrict: true };
  try {
    // Two worlds, two hosts: most of a row's time is a process starting.
    const [ours, originals] = await Promise.all([losslessRows(suite), bothModes(strictSuite)]);
    return [...ours, ...originals, ...(await environmentRows(suite, strictSuite))];
  } finally {
    await Promise.all([lossless.close(), strict.close()]);
  }
}

async function losslessRows(suite: Suite): Promise<CaseResult[]> {
  const { configured, fixtures } = suite.calls;
  return [
    ...(await bothModes(suite)),
    ...(await rawRows(suite)),
    ...(await errorRows(suite)),
    ...(await loadRows(suite)),
    ...(await rowsOf(suite, 'configured', configured)),
    ...(await rowsOf(suite, 'fixtures', fixtures)),
  ];
}

async function bothModes(suite: Suite): Promise<CaseResult[]> {
  return [...(await valueRows(suite)), ...(await streamRows(suite))];
}

/** The recorded cases and what is derived from them once. */
export interface Suite {
  readonly calls: Calls;
  readonly directory: string;
  readonly types: RecordedTypes;
  readonly world: World;
  readonly isStrict: boolean;
}

async function recordedTypes(calls: Calls): Promise<RecordedTypes> {
  const names = [...new Set([...calls.return_types, 'String', 'u8', 'u64', 'Vec<String>'])];
  const methods = names.map((type, index) => `fn r${index}(&self) -> ${type};`).join('\n');
  const source = `${calls.rust_types}\n#[plugin_interface(version = 1, buffer = X)]\ntrait Returns {\n${methods}\n}`;
  const parsed = await parseInterfaceSource(source, 'types.rs');
  const declared = new Map(parsed.types.map((type) => [type.name, type]));
  const returns = parsed.interfaces[0]?.methods.map((method) => method.returns) ?? [];
  return {
    types: Object.fromEntries(parsed.types.map((type) => [type.name, describeNamed(type, declared)])),
    returns: new Map(
      names.map((name, index) => [name, returns[index] ? describeType(returns[index], declared) : 'unit']),
    ),
  };
}

async function valueRows({ calls, types, world, isStrict }: Suite): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const mode = isStrict ? 'strict' : 'lossless';
  const { normalise } = world;
  const see = await opened(world, calls.inputs.host_to_python);
  for (const row of calls.host_to_python) {
    const verdict = await hostToPython(row, see, { types, isStrict, normalise });
    results.push(result(`calls/host_to_python/${row.value ?? ''}/${mode}`, verdict));
  }
  const give = await opened(world, calls.inputs.python_to_rust);
  for (const row of calls.python_to_rust) {
    const id = `calls/python_to_rust/${row.method} ${row.python}`;
    results.push(result(`${id}/${mode}`, await pythonToNeutral(row, give, { isStrict, normalise })));
    if (!isStrict) results.push(result(`${id}/as`, await pythonAsTypes(row, give, types)));
  }
  return results;
}

async function streamRows(suite: Suite): Promise<CaseResult[]> {
  const { items, ...client } = suite.calls.fed_streams.client;
  return [
    ...(await rowsOf(suite, 'server_streams', suite.calls.server_streams)),
    ...(await rowsOf(suite, 'fed_streams/client', client)),
    ...(await rowsOf(suite, 'fed_streams/items', items)),
    ...(await rowsOf(suite, 'fed_streams/bidi', suite.calls.fed_streams.bidi)),
  ];
}

async function environmentRows(suite: Suite, strict: Suite): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [id, row] of Object.entries(suite.calls.environment)) {
    await suite.world.clear();
    await strict.world.clear();
    results.push(result(`calls/environment/${id}`, await runEnvironment(id, row, { suite, strict })));
  }
  return results;
}

/** A fresh world with the packages of an input, its first load done. */
async function opened(world: World, input: CaseInput): ReturnType<World['load']> {
  await world.clear();
  world.write(input);
  const [load] = input.before ?? [];
  if (load === undefined) throw new TypeError('The section has no load step');
  return world.load(load, input);
}

async function rawRows(suite: Suite): Promise<CaseResult[]> {
  const { calls } = suite;
  await opened(suite.world, calls.inputs.raw);
  const context = contextOf(suite, calls.inputs.raw);
  const results: CaseResult[] = [];
  for (const [index, row] of calls.raw.entries()) {
    results.push(result(`calls/raw/${index} ${row.returns ?? row.case ?? ''}`, await runStep(row.step, row, context)));
  }
  return results;
}

async function errorRows({ calls, world }: Suite): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [module, input] of Object.entries(calls.inputs.errors)) {
    const handle = await opened(world, input);
    for (const [method, row] of Object.entries(calls.errors)) {
      const recorded = row[module];
      if (recorded === undefined || typeof recorded === 'string') continue;
      const outcome = await outcomeOf(() => handle.callTypedJson(method, 'null'));
      const verdict = 'err' in outcome ? errorDifference(outcome.err, recorded, world.normalise) : 'no error';
      results.push(result(`calls/errors/${method}/${module}`, verdict));
    }
  }
  return results;
}

async function loadRows(suite: Suite): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const [id, row] of Object.entries(suite.calls.load)) {
    const load: Step = { op: 'load', package: row.package, host: row.host };
    const steps = [load, ...(row.call_step === undefined ? [] : [row.call_step])];
    const recorded = [row.load, ...(row.call === undefined ? [] : [row.call])];
    const input: CaseInput = { packages: { [row.package]: row.files } };
    results.push(result(`calls/load/${id}`, await runSteps(suite, { ...input, steps }, recorded)));
  }
  return results;
}

async function rowsOf(suite: Suite, section: string, rows: Readonly<Record<string, Row>>): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const mode = section.includes('stream') ? (suite.isStrict ? '/strict' : '/lossless') : '';
  for (const [id, row] of Object.entries(rows)) {
    results.push(result(`calls/${section}/${id}${mode}`, await runSteps(suite, row.input, recordedSteps(row))));
  }
  return results;
}

/** A row's results in the order of its steps: several, one, or `load` and then `see` or `call`. */
function recordedSteps(row: Row & { load?: StepResult; see?: StepResult; call?: StepResult }): readonly StepResult[] {
  if (row.results !== undefined) return row.results;
  if (row.load === undefined) return [row];
  const then = row.see ?? row.call;
  return then === undefined ? [row.load] : [row.load, then];
}

/** Runs the steps of a case in a fresh world; the first difference is the verdict. */
export async function runSteps(suite: Suite, input: CaseInput, recorded: readonly StepResult[]): Promise<Verdict> {
  const { world } = suite;
  await world.clear();
  world.write(input);
  for (const step of input.before ?? []) await world.load(step, input);
  const context = contextOf(suite, input);
  let skipped: Verdict;
  for (const [index, step] of (input.steps ?? []).entries()) {
    const verdict = await runStep(step, recorded[index] ?? {}, context);
    if (typeof verdict === 'string') return `step ${index} (${step.op}): ${verdict}`;
    skipped ??= verdict;
  }
  return skipped;
}

function contextOf({ world, types, calls, isStrict }: Suite, input: CaseInput): StepContext {
  return { world, input, types, values: calls.values, isStrict };
}

function result(id: string, verdict: Verdict): CaseResult {
  if (verdict === undefined) return { id, outcome: 'passed' };
  return typeof verdict === 'string'
    ? { id, outcome: 'failed', reason: verdict }
    : { id, outcome: 'skipped', reason: verdict.skipped };
}
