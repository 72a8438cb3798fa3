import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { digestTree } from '../../src/archive/tree-digest.ts';
import { unpackPackage } from '../../src/archive/unpack.ts';
import { fidius } from '../../src/formats/fidius/index.ts';
import type { CaseResult } from './case-result.ts';
import { outcomeDifference, runCommand, type CommandOutcome } from './fidius-command-run.ts';
import { membersOf } from './fidius-members.ts';
import { buildTree, copyPackage, type Listed, listTree, setTimes, type Tree } from './fidius-tree.ts';

interface RecordedCommand extends CommandOutcome {
  readonly argv: readonly string[];
}

interface RecordedArchive {
  readonly file?: string;
  readonly sha256: string;
  readonly size: number;
}

interface RecordedUnpack extends CommandOutcome {
  readonly files: Readonly<Record<string, Listed>> | null;
  readonly digest?: { readonly ok: string };
  readonly verify?: CommandOutcome;
}

interface DigestCase {
  readonly id: string;
  readonly tree: string | Tree;
  readonly digest: { readonly ok: string };
  readonly digest_after_pack?: { readonly ok: string };
  readonly vendored?: readonly string[];
  readonly pack_unsigned: RecordedCommand;
  readonly unsigned_archive?: RecordedArchive;
  readonly members?: readonly string[];
  readonly sign: RecordedCommand;
  readonly signed_by: string;
  readonly signature: string;
  readonly verify: Readonly<Record<string, CommandOutcome>>;
  readonly signed_archive?: RecordedArchive;
  readonly unpack_plain?: RecordedUnpack;
  readonly unpack_signed?: RecordedUnpack;
}

const rules = fidius.archive;
/** Recorded archives name the superuser as the owner of every file; nobody else can make such files. */
const IS_RECORDED_OWNER = process.getuid?.() === 0 && process.getgid?.() === 0;

/**
 * F4, F6, F10 to F12, F36: `digests.json`. Each tree is digested, packed, signed, verified, packed again and unpacked; the
 * archives are compared by hash where files can have the recorded owner.
 */
export async function runDigestCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(path.join(directory, 'digests.json'), 'utf8')) as { packages: DigestCase[] };
  const results: CaseResult[] = [];
  for (const one of file.packages) {
    const cwd = mkdtempSync(path.join(tmpdir(), 'charmer-digests-'));
    try {
      const reason = await differenceOf(one, cwd, directory);
      results.push(
        reason === undefined
          ? { id: `digests/${one.id}`, outcome: 'passed' }
          : { id: `digests/${one.id}`, outcome: 'failed', reason },
      );
      results.push(archivesResult(one, cwd));
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  }
  return results;
}

/** Works through one tree; the archives stay in `cwd`. */
async function differenceOf(one: DigestCase, cwd: string, fixtures: string): Promise<string | undefined> {
  const pkg = path.join(cwd, 'pkg');
  mkdirSync(pkg);
  if (typeof one.tree === 'string') copyPackage(pkg, path.join(fixtures, one.tree));
  else buildTree(pkg, one.tree, fixtures);
  setTimes(pkg);
  const digest = await digestTree(pkg, rules);
  if (digest.hex !== one.digest.ok) return `digest ${digest.hex}`;
  if (one.vendored !== undefined) await vendorFromRecording(one, cwd, fixtures);
  return (
    (await packDifference(one, cwd)) ??
    (await signDifference(one, cwd, fixtures)) ??
    (await unpackDifferences(one, cwd, fixtures))
  );
}

/** What pip installed is in the recorded archive: no network is needed to have it again, times included. */
async function vendorFromRecording(one: DigestCase, cwd: string, fixtures: string): Promise<void> {
  const archive = path.join(fixtures, one.unsigned_archive?.file ?? '');
  const options = { rules, manifestFile: fidius.manifestFile, destination: path.join(cwd, 'recorded') };
  const { directory } = await unpackPackage({ archive, ...options });
  renameSync(path.join(directory, 'vendor'), path.join(cwd, 'pkg', 'vendor'));
}

async function packDifference(one: DigestCase, cwd: string): Promise<string | undefined> {
  const ours = await runCommand(one.pack_unsigned.argv, { cwd });
  const difference = outcomeDifference(ours, one.pack_unsigned, { cwd });
  if (difference !== undefined) return `pack: ${difference}`;
  if (one.members === undefined) return undefined;
  const members = (await membersOf(path.join(cwd, 'plain.fid'))).map(([name]) => name);
  const wanted = one.members.filter((name) => name !== '././@LongLink');
  // A long name's own member is not seen by a reader, and its header carries the start of the name only.
  const isSame =
    members.length === wanted.length && members.every((name, index) => name.startsWith(wanted[index] ?? '/'));
  return isSame ? undefined : `members ${JSON.stringify(members)}`;
}

async function signDifference(one: DigestCase, cwd: string, fixtures: string): Promise<string | undefined> {
  const keys = path.join(fixtures, 'keys');
  const argv = one.sign.argv.map((word) => word.replace('{KEYS}', keys));
  const signed = outcomeDifference(await runCommand(argv, { cwd }), one.sign, { cwd });
  if (signed !== undefined) return `sign: ${signed}`;
  const signature = readFileSync(path.join(cwd, 'pkg', rules.signatureFile)).toString('hex');
  if (signature !== one.signature) return `signature ${signature}`;
  for (const [name, wanted] of Object.entries(one.verify)) {
    const ours = await runCommand(['package', 'verify', '--key', path.join(keys, `${name}.public`), 'pkg'], { cwd });
    const difference = outcomeDifference(ours, wanted, { cwd });
    if (difference !== undefined) return `verify by ${name}: ${difference}`;
  }
  return undefined;
}

async function unpackDifferences(one: DigestCase, cwd: string, fixtures: string): Promise<string | undefined> {
  if (one.unpack_plain !== undefined) {
    const plain = await unpackDifference(one.unpack_plain, { archive: 'plain.fid', dest: 'out-plain', cwd });
    if (plain !== undefined) return `unpack unsigned: ${plain}`;
  }
  if (one.unpack_signed === undefined) return undefined;
  setTimes(path.join(cwd, 'pkg'));
  const packed = await runCommand(['package', 'pack', 'pkg', '--output', 'signed.fid'], { cwd });
  if (packed.exit !== 0) return `pack signed: ${packed.stderr}`;
  const signed = await unpackDifference(one.unpack_signed, { archive: 'signed.fid', dest: 'out-signed', cwd });
  if (signed !== undefined) return `unpack signed: ${signed}`;
  if (one.unpack_signed.verify === undefined) return undefined;
  const key = path.join(fixtures, 'keys', `${one.signed_by}.public`);
  const unpacked = /Unpacked: (.*)\n/.exec(one.unpack_signed.stdout)?.[1] ?? '';
  const verified = await runCommand(['package', 'verify', '--key', key, unpacked], { cwd });
  return outcomeDifference(verified, one.unpack_signed.verify, { cwd });
}

async function unpackDifference(
  wanted: RecordedUnpack,
  { archive, dest, cwd }: { archive: string; dest: string; cwd: string },
): Promise<string | undefined> {
  const ours = await runCommand(['package', 'unpack', archive, '--dest', dest], { cwd });
  const difference = outcomeDifference(ours, wanted, { cwd });
  if (difference !== undefined) return difference;
  const root = path.join(cwd, dest);
  const files = existsSync(root) ? listTree(root) : null;
  if (!isDeepStrictEqual(files, wanted.files)) return `files ${JSON.stringify(files)}`;
  if (wanted.digest === undefined) return undefined;
  const [name = ''] = Object.keys(wanted.files ?? {});
  const { hex } = await digestTree(path.join(root, name.split('/')[0] ?? ''), rules);
  return hex === wanted.digest.ok ? undefined : `digest of what was unpacked ${hex}`;
}

function archivesResult(one: DigestCase, cwd: string): CaseResult {
  const id = `digests/${one.id}/archives`;
  if (!IS_RECORDED_OWNER)
    return { id, outcome: 'skipped', reason: 'recorded archives name user 0 as owner, which this process is not' };
  for (const [file, wanted] of [
    ['plain.fid', one.unsigned_archive],
    ['signed.fid', one.signed_archive],
  ] as const) {
    const archive = path.join(cwd, file);
    if (wanted === undefined || !existsSync(archive)) continue;
    const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (sha256 !== wanted.sha256) return { id, outcome: 'failed', reason: `${file} has SHA-256 ${sha256}` };
  }
  return { id, outcome: 'passed' };
}
