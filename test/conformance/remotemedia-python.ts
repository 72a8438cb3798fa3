/** The families that only Python can run: `frames.json`, and the command lines of `outcomes.json`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { entriesOf, readJson, type RecordedCase, Skip, type Workshop } from './remotemedia-workshop.ts';

const TESTS = fileURLToPath(new URL('../../src/formats/remotemedia/python/tests', import.meta.url));

/** What became of one Python test: `ok`, or everything that is said of it. */
type Outcomes = ReadonlyMap<string, string>;

/** One run per directory and family: its tests are many and quick. */
interface Family {
  readonly modules: readonly string[];
  outcomes?: Promise<Outcomes>;
}

/** `frames.json`: our encoder and decoder of the original's layout against its bytes. */
export function frameCases(directory: string): RecordedCase[] {
  const vectors = (readJson(directory, 'frames.json') ?? {}) as {
    readonly out?: readonly { readonly name: string }[];
    readonly in?: readonly { readonly in: { readonly kind: string } }[];
  };
  const family: Family = { modules: ['test_frames.Out', 'test_frames.In', 'test_frames.Control'] };
  const written = (vectors.out ?? []).map(({ name }) => ({
    id: `frames/out/${name}`,
    test: `test_encode_frame_writes_${identifier(name)}`,
  }));
  const read = (vectors.in ?? []).map(({ in: { kind } }, index) => ({
    id: `frames/in/${index + 1} ${kind}`,
    test: `test_decode_frame_reads_${index}_${identifier(kind)}`,
  }));
  const control = vectors.out === undefined ? [] : [{ id: 'frames/control messages', test: 'test_control_messages' }];
  return [...written, ...read, ...control].map(({ id, test }) => ({
    id,
    run: (workshop) => judge(workshop, family, test),
  }));
}

/** `outcomes.json`, `cli`: the runner started by hand. */
export function commandLineCases(directory: string): RecordedCase[] {
  const { cli = [] } = (readJson(directory, 'outcomes.json') ?? {}) as { cli?: readonly { readonly id: string }[] };
  const family: Family = { modules: ['test_command_line.Recorded'] };
  return cli.map(({ id }) => ({
    id: `outcomes/cli/${id}`,
    run: (workshop) => judge(workshop, family, `test_${identifier(id)}_R58`),
  }));
}

async function judge(workshop: Workshop, family: Family, test: string): Promise<string | Skip | undefined> {
  family.outcomes ??= runTests(workshop, family.modules);
  const outcomes = await family.outcomes;
  const name = [...outcomes.keys()].find((found) => found === test || found.startsWith(`${test}_`)) ?? test;
  const outcome = outcomes.get(name);
  if (outcome === 'ok') return undefined;
  const reason = /^skipped '?(.*?)'?$/.exec(outcome ?? '')?.[1];
  return reason === undefined ? `the Python test '${test}' says: ${outcome ?? 'nothing'}` : new Skip(reason);
}

async function runTests({ directory, cacheDir }: Workshop, modules: readonly string[]): Promise<Outcomes> {
  const report = await new Promise<string>((resolve) => {
    const env = { ...process.env, CHARMER_CASES: directory, PYTHONPATH: TESTS, PYTHONDONTWRITEBYTECODE: '1' };
    const args = ['-m', 'unittest', '-v', ...modules];
    execFile(
      pythonWithNumpy(cacheDir) ?? 'python3',
      args,
      { cwd: join(TESTS), env, maxBuffer: 64 * 1024 * 1024 },
      (_, __, stderr) => resolve(stderr),
    );
  });
  const outcomes = new Map<string, string>();
  for (const match of report.matchAll(/^(test_\w+) \([^)]*\)(?:\n[^\n]*)? \.\.\. (.*)$/gmu)) {
    outcomes.set(
      match[1] ?? '',
      match[2] === 'ok' ? 'ok' : `${match[2] ?? ''} ${detailsOf(report, match[1] ?? '')}`.trim(),
    );
  }
  return outcomes;
}

/** Some vectors are made of arrays: the interpreter of an environment that an earlier case needed has them. */
function pythonWithNumpy(cacheDir: string): string | undefined {
  const environments = join(cacheDir, 'environments');
  for (const name of entriesOf(environments)) {
    const lib = join(environments, name, 'lib');
    const hasNumpy = entriesOf(lib).some((python) => existsSync(join(lib, python, 'site-packages', 'numpy')));
    if (hasNumpy) return join(environments, name, 'bin', 'python3');
  }
  return undefined;
}

/** The last line of the traceback of a test that failed. */
function detailsOf(report: string, test: string): string {
  const at = report.indexOf(`: ${test} (`);
  if (at < 0) return '';
  return report.slice(at, report.indexOf('\n\n', at)).trim().split('\n').at(-1) ?? '';
}

function identifier(text: string): string {
  return text.replace(/[^a-z0-9]+/g, '_');
}
