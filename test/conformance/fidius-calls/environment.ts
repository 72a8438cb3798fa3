import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discoverPackages } from '../../../src/doors/fidius.ts';
import { parseInterfaceSource, selectInterface } from '../../../src/formats/fidius/interface-source.ts';
import { describeInterface } from '../../../src/formats/fidius/type-descriptor.ts';
import { createHost } from '../../../src/index.ts';
import type { Suite } from '../fidius-calls.ts';
import { floatDrift } from './float-drift.ts';
import { ordinary } from './literal-json.ts';
import { outcomeOf } from './outcome.ts';
import type { CaseInput, Row, Step, StepResult } from './recorded.ts';
import { signatures } from './signatures.ts';
import type { Verdict } from './values-sections.ts';
import { recordedPython } from './world.ts';

interface Both {
  readonly suite: Suite;
  readonly strict: Suite;
}

/**
 * Rows about the original's one process for all. Each is compared with what a process per plugin gives instead: the
 * right code for equal module names, no cached rejections, a host that survives.
 */
export async function runEnvironment(id: string, row: Row, both: Both): Promise<Verdict> {
  const check = CHECKS[id];
  return check === undefined ? { skipped: "the row is about the original's own process" } : check(row, both);
}

const CHECKS: Readonly<Record<string, (row: Row, both: Both) => Promise<Verdict>>> = {
  sys_path_order: importPath,
  same_entry_module_name: ownCode,
  rejected_module_stays_cached: acceptsRepaired,
  failed_import_can_be_retried: acceptsRepaired,
  discover,
  discover_packages_helper: helper,
  generated_client: typedClient,
  generated_client_optional_absent: typedClient,
  self_referential_return: survives,
  float_drift: (row, { strict }) => floatDrift(row, strict),
  relative_search_path: async () => ({
    skipped: 'search paths are absolute here, so that a later chdir breaks nothing',
  }),
  threads: async () => ({ skipped: 'one piece of Python runs at a time in a worker; more workers run in parallel' }),
  signatures: (row, { suite }) => signatures(row, suite),
  verify_library: async () => ({ skipped: 'this door has no check of its own; digests.json covers verification' }),
  buffered_stdout_text_reached_the_pipe: async () => ({
    skipped: 'a worker ends its interpreter, so its buffers are flushed',
  }),
  atexit_ran: async () => ({ skipped: 'a worker ends its interpreter, so its exit hooks run' }),
};

/** F20: vendor, package, SDK, and then the interpreter's own directories, for every package that is loaded. */
async function importPath(row: Row, { suite: { world } }: Both): Promise<Verdict> {
  world.write(row.input);
  for (const step of stepsOf(row).filter(({ op }) => op === 'load')) {
    await world.load(step, row.input);
    const path = (await world.probe('import sys; result = list(sys.path)')) as string[];
    const shown = path.slice(0, 3).map(world.normalise);
    const wanted = [`{DIR}/${step.package ?? ''}/vendor`, `{DIR}/${step.package ?? ''}`, '{SDK}'];
    if (shown.join() !== wanted.join()) return `${shown.join()}, expected ${wanted.join()}`;
    if (path.length < 5) return `only ${path.join()}`;
  }
  return undefined;
}

/** Two packages with one module name run their own code: each answers with its name (FW16). */
async function ownCode(row: Row, { suite: { world } }: Both): Promise<Verdict> {
  world.write(row.input);
  for (const step of stepsOf(row)) {
    if (step.op === 'load') await world.load(step, row.input);
    if (step.op !== 'call') continue;
    const answer = await world.handle(step).callMethod('go');
    const wanted = step.on === 'a' ? 'first' : 'second';
    if (answer !== wanted) return `'${String(answer)}', expected '${wanted}'`;
  }
  return undefined;
}

/** The first load fails as recorded; after the repair the next one succeeds. */
async function acceptsRepaired(row: Row, { suite: { world } }: Both): Promise<Verdict> {
  world.write(row.input);
  const steps = stepsOf(row);
  const [first, repair, second] = steps;
  if (first === undefined || second === undefined) return 'too few steps';
  const failed = await outcomeOf(() => world.load(first, row.input));
  const text = row.results?.[0]?.err?.text;
  if (!('err' in failed) || failed.err.message !== text) return `expected '${String(text)}'`;
  const [, content, path] = /^printf '(.*)' > \{DIR\}\/(\S+)$/s.exec(repair?.code ?? '') ?? [];
  if (content === undefined || path === undefined) return { skipped: 'the repair is no printf into a file' };
  writeFileSync(join(world.directory, path), content.replaceAll('\\n', '\n'));
  const repaired = await outcomeOf(() => world.load(second, row.input));
  return 'ok' in repaired ? undefined : repaired.err.message;
}

async function discover(row: Row, { suite: { world } }: Both): Promise<Verdict> {
  world.write(row.input);
  mkdirSync(join(world.directory, 'plain-dir'));
  writeFileSync(join(world.directory, 'file.txt'), 'x');
  const found = await world.host.discover();
  const ours = found.map((info) => [
    info.interfaceHash,
    info.interfaceName,
    info.name,
    info.runtime,
    info.interfaceVersion,
  ]);
  const recorded = ordinary((row.results?.[0] as StepResult).ok as never) as Record<string, unknown>[];
  const theirs = recorded.map((info) => [
    info['hash'],
    info['interface'],
    info['name'],
    info['runtime'],
    info['version'],
  ]);
  if (JSON.stringify(ours) !== JSON.stringify(theirs))
    return `${JSON.stringify(ours)}, expected ${JSON.stringify(theirs)}`;
  for (const step of stepsOf(row).filter(({ op }) => op === 'find')) {
    const directory = await world.host.findPythonPackage(step.package ?? '');
    if (directory !== undefined) return `found '${step.package ?? ''}'`;
  }
  return undefined;
}

async function helper(row: Row, { suite: { world, calls } }: Both): Promise<Verdict> {
  const input = calls.environment['discover']?.input;
  if (input === undefined) return { skipped: 'there is no tree' };
  world.write(input);
  const names = (await discoverPackages(world.directory)).map((path) => path.slice(world.directory.length + 1));
  return names.join() === (row.ok as string[]).join() ? undefined : names.join();
}

/** A typed client: what the original answers is answered; what it cannot do (optional methods, Result, Option) works. */
async function typedClient(row: Row, { suite: { world } }: Both): Promise<Verdict> {
  const { trait } = row.input as CaseInput & { trait: string };
  world.write(row.input);
  const parsed = await parseInterfaceSource(trait, 'lib.rs');
  const descriptor = describeInterface(parsed, selectInterface(parsed));
  const recorded = row as unknown as Record<string, StepResult | string>;
  if (descriptor.hash !== recorded['hash']) return `hash ${descriptor.hash}`;
  const host = createHost({ python: { path: recordedPython() } });
  try {
    const plugin = await host.load(join(world.directory, 'typed'), { interface: descriptor });
    const client = plugin.client<Record<string, (...args: unknown[]) => Promise<unknown>>>();
    const hasExtra = plugin.operations?.find(({ name }) => name === 'extra')?.isAvailable !== false;
    if (hasExtra !== !('err' in recorded)) return `extra is ${hasExtra ? '' : 'not '}available`;
    const answers = [
      await client['plain']?.(2),
      await client['fallible']?.(2),
      [...((await client['blob']?.(new Uint8Array([1, 2, 3]))) as Uint8Array)],
      await client['find']?.(),
      await client['nothing']?.(),
      ...(hasExtra ? [await client['extra']?.()] : []),
    ];
    const wanted = [3, 3, [3, 2, 1], null, null, ...(hasExtra ? [9] : [])];
    return JSON.stringify(answers) === JSON.stringify(wanted) ? undefined : JSON.stringify(answers);
  } finally {
    await host.close();
  }
}

/** A value that contains itself is refused, and both processes live (FW21). */
async function survives(row: Row, { suite: { world } }: Both): Promise<Verdict> {
  world.write(row.input);
  const [load] = row.input.before ?? [];
  if (load === undefined) return 'no load step';
  const handle = await world.load(load, row.input);
  const outcome = await outcomeOf(() => handle.callMethod('loop'));
  if (!('err' in outcome) || outcome.err.code !== 'RESULT_INVALID') return 'the value was accepted';
  return (await handle.callMethod('ident')) === true ? undefined : 'the worker did not go on';
}

function stepsOf(row: Row): readonly Step[] {
  return row.input.steps ?? [];
}
