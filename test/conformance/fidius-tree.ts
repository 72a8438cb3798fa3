/** Builds the trees of the recorded Fidius cases and lists what a command left behind; the fixtures' README is the format. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** What a tree says of one path. */
export type TreeItem =
  | string
  | null
  | {
      readonly text?: string;
      readonly base64?: string;
      readonly mode?: string;
      readonly symlink?: string;
      readonly dir?: boolean;
      readonly copy?: string;
      readonly noise?: readonly [bytes: number, seed: string];
      readonly repeat?: number;
    };

/** Path → what is there. */
export type Tree = Readonly<Record<string, TreeItem>>;

/** What a listing says of one path. */
export interface Listed {
  readonly size?: number;
  readonly sha256?: string;
  readonly mode?: string;
  readonly mtime?: number;
  readonly symlink?: string;
}

/** Time of every file when a recorded command ran, in seconds. */
export const TREE_TIME = 1_700_000_000;

/** Builds a tree below a directory; null removes. `copy` items come from the fixtures. */
export function buildTree(root: string, tree: Tree, fixtures: string): void {
  for (const [name, item] of Object.entries(tree)) {
    const target = path.join(root, name);
    rmSync(target, { recursive: true, force: true });
    if (item === null) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    buildItem(target, item, fixtures);
  }
}

/** Copies a package of the fixtures; its modes are the usual ones, whatever the checkout's are. */
export function copyPackage(root: string, source: string): void {
  cpSync(source, root, { recursive: true });
  for (const file of filesBelow(Buffer.from(root))) chmodSync(file.absolute, 0o644);
}

/** Sets the time of every file below a directory. */
export function setTimes(root: string, time: number = TREE_TIME): void {
  for (const file of filesBelow(Buffer.from(root)))
    if (!file.isLink && !file.isEmptyDirectory) utimesSync(file.absolute, time, time);
}

/** Lists what is below a directory as the recorder did. */
export function listTree(root: string): Record<string, Listed> {
  return Object.fromEntries(filesBelow(Buffer.from(root)).map((file) => [file.name, describe(file)]));
}

interface Found {
  readonly name: string;
  /** Bytes: nothing promises UTF-8. */
  readonly absolute: Buffer;
  readonly isLink: boolean;
  readonly isEmptyDirectory: boolean;
}

function buildItem(target: string, item: Exclude<TreeItem, null>, fixtures: string): void {
  if (typeof item === 'string') {
    writeFileSync(target, item);
    chmodSync(target, 0o644);
    return;
  }
  if (item.dir === true) mkdirSync(target, { recursive: true });
  else if (item.symlink !== undefined) symlinkSync(item.symlink, target);
  else {
    writeFileSync(target, contentOf(item, fixtures));
    chmodSync(target, Number.parseInt(item.mode ?? '0644', 8));
  }
}

function contentOf(item: Exclude<TreeItem, null | string>, fixtures: string): Buffer {
  if (item.copy !== undefined) return readFileSync(path.join(fixtures, item.copy));
  const once =
    item.noise !== undefined
      ? noise(...item.noise)
      : item.base64 !== undefined
        ? Buffer.from(item.base64, 'base64')
        : Buffer.from(item.text ?? '');
  return Buffer.concat(Array.from({ length: item.repeat ?? 1 }, () => once));
}

function noise(bytes: number, seed: string): Buffer {
  const hashes = Array.from({ length: Math.ceil(bytes / 32) }, (_, counter) =>
    createHash('sha256').update(`${seed}${counter}`).digest(),
  );
  return Buffer.concat(hashes).subarray(0, bytes);
}

/** Regular files, links to files, broken links and empty directories; links to directories are neither. */
function filesBelow(root: Buffer, prefix = ''): Found[] {
  return readdirSync(root, { withFileTypes: true, encoding: 'buffer' }).flatMap((entry) => {
    const absolute = Buffer.concat([root, Buffer.from('/'), entry.name]);
    const name = prefix + printable(entry.name);
    const isLink = entry.isSymbolicLink();
    const isDirectory = isDirectoryAt(absolute);
    if (!isDirectory) return [{ name, absolute, isLink, isEmptyDirectory: false }];
    if (readdirSync(absolute).length === 0) return [{ name: `${name}/`, absolute, isLink, isEmptyDirectory: true }];
    return isLink ? [] : filesBelow(absolute, `${name}/`);
  });
}

function isDirectoryAt(absolute: Buffer): boolean {
  try {
    return statSync(absolute).isDirectory();
  } catch {
    return false;
  }
}

function printable(name: Buffer): string {
  const text = name.toString('utf8');
  if (Buffer.from(text).equals(name)) return text;
  return [...name].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('');
}

function describe(file: Found): Listed {
  if (file.isEmptyDirectory) return {};
  if (file.isLink) return { symlink: readlinkSync(file.absolute) };
  const stat = lstatSync(file.absolute);
  return {
    size: stat.size,
    sha256: createHash('sha256').update(readFileSync(file.absolute)).digest('hex'),
    mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    mtime: Math.floor(stat.mtimeMs / 1000),
  };
}
