import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fidius } from '../../src/formats/fidius/index.ts';
import { readSecretKey } from '../../src/signing/keys.ts';
import { signPackage } from '../../src/signing/sign-package.ts';
import type { CaseResult } from './case-result.ts';
import { outcomeDifference, runCommand } from './fidius-command-run.ts';
import { membersOf } from './fidius-members.ts';
import { buildTree, type Listed, listTree, setTimes, type Tree, TREE_TIME } from './fidius-tree.ts';

interface Recorded {
  readonly argv: readonly string[];
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandCase extends Recorded {
  readonly id: string;
  readonly tree: Tree;
  readonly cwd: string;
  readonly first_line_only?: boolean;
  readonly size_varies?: boolean;
  readonly signed_first_by?: string;
  readonly then_changed?: Tree;
  readonly fake_path?: Readonly<Record<string, string>>;
  readonly after?: Readonly<Record<string, Listed>>;
  readonly after_names?: readonly string[];
  readonly after_sizes?: Readonly<Record<string, Listed>>;
  readonly members?: readonly (readonly [string, number])[];
  readonly written_file?: Readonly<Record<string, string>>;
  readonly then?: Recorded;
}

/** Verbs that scaffold Rust crates: out of the drop-in's scope, which says so when it is asked. */
const NATIVE_VERBS = ['init-interface', 'init-plugin', 'init-host'];

/**
 * F5, F9, F10, F12 to F15: `cli.json`. Exit code, standard output, standard error, the files afterwards, the members of the
 * archive and a second command are compared.
 */
export async function runCliCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(path.join(directory, 'cli.json'), 'utf8')) as { commands: CommandCase[] };
  const results: CaseResult[] = [];
  for (const one of file.commands) results.push(await runCase(one, directory));
  return results;
}

async function runCase(one: CommandCase, fixtures: string): Promise<CaseResult> {
  const id = `cli/${one.id}`;
  if (NATIVE_VERBS.includes(one.argv[0] ?? ''))
    return {
      id,
      outcome: 'skipped',
      reason: 'scaffolds a Rust crate: the drop-in says that the verb is for native plugins',
    };
  const root = mkdtempSync(path.join(tmpdir(), 'charmer-cli-'));
  try {
    const reason = await differenceOf(one, root, fixtures);
    return reason === undefined ? { id, outcome: 'passed' } : { id, outcome: 'failed', reason };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function differenceOf(one: CommandCase, root: string, fixtures: string): Promise<string | undefined> {
  const cwd = path.join(root, 'case');
  mkdirSync(cwd);
  await prepare(one, cwd, fixtures);
  const env = { ...process.env, PATH: fakePath(one, root) };
  const ours = await runCommand(one.argv, { cwd: path.join(cwd, one.cwd), env });
  const style = { cwd, firstLineOnly: one.first_line_only === true, sizeVaries: one.size_varies === true };
  return (
    outcomeDifference(ours, one, style) ??
    filesDifference(one, cwd) ??
    (await membersDifference(one, cwd)) ??
    writtenDifference(one, cwd) ??
    (await secondDifference(one, cwd))
  );
}

async function prepare(one: CommandCase, cwd: string, fixtures: string): Promise<void> {
  buildTree(cwd, one.tree, fixtures);
  setTimes(cwd);
  if (one.signed_first_by === undefined) return;
  const key = readSecretKey(path.join(fixtures, 'keys', `${one.signed_first_by}.secret`));
  await signPackage(path.join(cwd, 'pkg'), fidius.archive, key);
  if (one.then_changed === undefined) return;
  buildTree(cwd, one.then_changed, fixtures);
  setTimes(cwd);
}

function fakePath({ fake_path: programs }: CommandCase, root: string): string {
  const usual = process.env['PATH'] ?? '';
  if (programs === undefined) return usual;
  const directory = path.join(root, 'bin');
  mkdirSync(directory);
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(path.join(directory, name), text);
    chmodSync(path.join(directory, name), 0o755);
  }
  return Object.keys(programs).length === 0 ? directory : `${directory}:${usual}`;
}

function filesDifference(one: CommandCase, cwd: string): string | undefined {
  const ours = listTree(cwd);
  if (one.after_names !== undefined) {
    const names = Object.keys(ours).sort();
    if (!isDeepStrictEqual(names, [...one.after_names].sort())) return `files ${JSON.stringify(names)}`;
  }
  for (const [name, wanted] of Object.entries({ ...one.after, ...one.after_sizes })) {
    const mine = ours[name];
    for (const [key, value] of Object.entries(wanted)) {
      if (key === 'mtime' && value !== TREE_TIME) continue;
      if (mine?.[key as keyof Listed] !== value)
        return `${name} has ${key} ${String(mine?.[key as keyof Listed])}, expected ${String(value)}`;
    }
  }
  return undefined;
}

async function membersDifference(one: CommandCase, cwd: string): Promise<string | undefined> {
  if (one.members === undefined) return undefined;
  const output = /Packed: (\S+) \(/.exec(one.stdout)?.[1] ?? '';
  const members = await membersOf(path.join(cwd, one.cwd, output));
  return isDeepStrictEqual(members, one.members) ? undefined : `members ${JSON.stringify(members)}`;
}

function writtenDifference(one: CommandCase, cwd: string): string | undefined {
  for (const [name, text] of Object.entries(one.written_file ?? {})) {
    const ours = readFileSync(path.join(cwd, name), 'utf8').replaceAll(cwd, '{DIR}');
    if (ours !== text) return `${name} is ${JSON.stringify(ours)}`;
  }
  return undefined;
}

async function secondDifference(one: CommandCase, cwd: string): Promise<string | undefined> {
  if (one.then === undefined) return undefined;
  const ours = await runCommand(one.then.argv, { cwd });
  const difference = outcomeDifference(ours, one.then, { cwd });
  return difference === undefined ? undefined : `then: ${difference}`;
}
