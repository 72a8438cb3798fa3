/**
 * What is kept of plugins from GitHub: one directory per repository and tag, with `entry.json` and the unpacked tree.
 *
 * Invariants: `entry.json` is written last and replaced in one step, so that an entry is whole or absent; a tree is never
 * changed, a new one gets a directory of its own; what is used is what was recorded, checked by its digest.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { digestFiles } from '../archive/tree-digest.ts';
import { walkTree } from '../archive/tree-walk.ts';
import type { RemoteSource } from '../formats/format.ts';

/** What is known about one fetched plugin. */
export interface CacheEntry {
  /** SHA-256 of the archive, hexadecimal. */
  readonly sha256: string;
  /** Digest of the unpacked tree, hexadecimal. */
  readonly tree: string;
  /** Address that the archive came from. */
  readonly url: string;
  readonly etag?: string;
  /** ISO time. */
  readonly fetchedAt: string;
}

const ENTRY_FILE = 'entry.json';
/** Longest name of a directory that every file system takes, with room for what is added to it. */
const MAX_NAME = 120;

/** The place of one repository and tag in a cache. */
export class GithubCache {
  /** Directory of all entries. */
  readonly directory: string;
  /** Directory of this one. */
  readonly place: string;

  constructor(cacheDir: string, source: RemoteSource) {
    this.directory = join(cacheDir, 'plugins');
    this.place = join(this.directory, placeName(source));
  }

  /** Path of the lock that whoever fetches this plugin holds. */
  get lock(): string {
    return `${this.place}.lock`;
  }

  /** What was recorded, or undefined when nothing was, or nothing readable. */
  entry(): CacheEntry | undefined {
    try {
      return parseEntry(JSON.parse(readFileSync(join(this.place, ENTRY_FILE), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** Directory of the tree of an entry. */
  treeOf(entry: Pick<CacheEntry, 'sha256'>): string {
    return join(this.place, entry.sha256.slice(0, 16));
  }

  /** Whether the tree of an entry is there and is what was recorded. */
  async isWhole(entry: CacheEntry): Promise<boolean> {
    const tree = this.treeOf(entry);
    return existsSync(tree) && (await digestOf(tree)) === entry.tree;
  }

  /** Takes a finished tree into the cache. `tree` must be on the same file system. */
  async put(tree: string, facts: Omit<CacheEntry, 'tree' | 'fetchedAt'>): Promise<CacheEntry> {
    const entry: CacheEntry = { ...facts, tree: await digestOf(tree), fetchedAt: new Date().toISOString() };
    mkdirSync(this.place, { recursive: true });
    const target = this.treeOf(entry);
    // Only a damaged tree of the same archive can be in the way: whole ones are used, not fetched.
    rmSync(target, { recursive: true, force: true });
    renameSync(tree, target);
    const fresh = join(this.place, `${ENTRY_FILE}.${process.pid}.tmp`);
    writeFileSync(fresh, `${JSON.stringify(entry, undefined, 2)}\n`);
    renameSync(fresh, join(this.place, ENTRY_FILE));
    return entry;
  }
}

async function digestOf(tree: string): Promise<string> {
  return (await digestFiles(walkTree(tree, { excludedDirectories: ['__pycache__'] }))).toString('hex');
}

/** Readable, and the same for no two sources: `~` cannot be part of an owner's name. */
function placeName({ owner, repository, tag }: RemoteSource): string {
  const name = [owner, repository, tag].map(encodeURIComponent).join('~');
  if (name.length <= MAX_NAME) return name;
  return `${name.slice(0, MAX_NAME)}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

function parseEntry(value: unknown): CacheEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sha256, tree, url, etag, fetchedAt }: Record<string, unknown> = { ...value };
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/u.test(sha256)) return undefined;
  if (typeof tree !== 'string' || typeof url !== 'string' || typeof fetchedAt !== 'string') return undefined;
  return { sha256, tree, url, fetchedAt, ...(typeof etag === 'string' ? { etag } : {}) };
}
