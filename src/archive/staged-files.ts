import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import type { ArchiveEntry } from './archive-entry.ts';
import { archiveFailure } from './archive-failure.ts';
import type { CheckedEntry } from './entry-checks.ts';

/** What is staged. */
export interface StagingOptions {
  /** Only what is below this top directory; undefined: everything. */
  readonly only?: string | undefined;
}

/** Writes checked entries below a staging directory. */
export class StagedFiles {
  readonly #root: Buffer;
  readonly #only: Buffer | undefined;
  readonly #made = new Set<string>();
  readonly #written = new Set<string>();
  /** Links by their place, made last: nothing is ever written through one. */
  readonly #links = new Map<string, Buffer>();
  /** Modes of directories, applied last: a directory may forbid writing into itself. */
  readonly #modes = new Map<string, number>();

  constructor(root: string, options: StagingOptions) {
    this.#root = Buffer.from(root);
    this.#only = options.only === undefined ? undefined : Buffer.from(options.only);
  }

  /** Writes one entry and returns how many bytes. An entry that was judged to be nothing is passed over. */
  async write(entry: ArchiveEntry, { kind, components, target }: CheckedEntry): Promise<number> {
    const [top] = components;
    if (kind === 'nothing' || top === undefined || this.#only?.equals(top) === false) return 0;
    this.#makeDirectories(kind === 'directory' ? components : components.slice(0, -1));
    if (kind === 'link') this.#links.set(keyOf(components), target ?? Buffer.alloc(0));
    if (kind === 'link') return 0;
    if (kind === 'file') return this.#writeFile(entry, components);
    if (entry.mode !== undefined) this.#modes.set(keyOf(components), (entry.mode & 0o777) | 0o700);
    return 0;
  }

  /** Applies what could not be applied while writing. */
  finish(): void {
    for (const [key, target] of this.#links) this.#makeLink(key, target);
    for (const key of this.#links.keys()) this.#checkLink(key);
    for (const [key, mode] of this.#modes) chmodSync(this.#at(Buffer.from(key, 'latin1')), mode);
  }

  #makeLink(key: string, target: Buffer): void {
    const link = this.#at(Buffer.from(key, 'latin1'));
    try {
      symlinkSync(target, link);
    } catch (cause) {
      throw archiveFailure('escaping-link', `Cannot make the link '${key}'`, { cause, facts: { entry: key } });
    }
  }

  /** Links may lead through links: only the system knows where one ends. */
  #checkLink(key: string): void {
    const [top = ''] = key.split('/');
    const inside = realpathSync(this.#at(Buffer.from(top, 'latin1')));
    try {
      const end = relative(inside, realpathSync(this.#at(Buffer.from(key, 'latin1'))));
      if (end.split(sep)[0] !== '..' && !isAbsolute(end)) return;
    } catch {
      // It leads nowhere, or in a circle.
    }
    throw archiveFailure('escaping-link', `Link '${key}' does not lead to anything inside the package`, {
      facts: { entry: key },
    });
  }

  async #writeFile(entry: ArchiveEntry, components: readonly Buffer[]): Promise<number> {
    const key = keyOf(components);
    const file = this.#at(Buffer.from(key, 'latin1'));
    if (this.#written.has(key)) rmSync(file);
    this.#written.add(key);
    const descriptor = this.#attempt(entry, () => openSync(file, 'wx', 0o600));
    try {
      let bytes = 0;
      let mode = entry.mode === undefined ? undefined : entry.mode & 0o777;
      for await (const piece of entry.content()) {
        if (bytes === 0 && mode === undefined) mode = startsScript(piece) ? 0o755 : 0o644;
        this.#attempt(entry, () => writeAll(descriptor, piece));
        bytes += piece.length;
      }
      fchmodSync(descriptor, mode ?? 0o644);
      if (entry.mtime !== undefined) futimesSync(descriptor, stored(entry.mtime), stored(entry.mtime));
      return bytes;
    } finally {
      closeSync(descriptor);
    }
  }

  #makeDirectories(components: readonly Buffer[]): void {
    for (let depth = 1; depth <= components.length; depth++) {
      const key = keyOf(components.slice(0, depth));
      if (this.#made.has(key)) continue;
      mkdirSync(this.#at(Buffer.from(key, 'latin1')));
      this.#made.add(key);
    }
  }

  #at(inside: Buffer): Buffer {
    return Buffer.concat([this.#root, Buffer.from('/'), inside]);
  }

  #attempt<Value>(entry: ArchiveEntry, action: () => Value): Value {
    try {
      return action();
    } catch (cause) {
      const name = entry.name.toString();
      throw archiveFailure('name-unusable', `Cannot write entry '${name}'`, { cause, facts: { entry: name } });
    }
  }
}

/** Latest time that every file system takes, in seconds: 2242. */
const LATEST = 2 ** 33;

/** A time of 0 becomes 1, as in the original: 0 means "no time" to many tools. */
function stored(mtime: number): number {
  return Math.min(Math.max(mtime, 1), LATEST);
}

/** Zip archives mostly carry no modes; a script that names its interpreter is meant to be run (rows W27). */
function startsScript(piece: Buffer): boolean {
  return piece[0] === 0x23 && piece[1] === 0x21;
}

function writeAll(descriptor: number, piece: Buffer): void {
  for (let at = 0; at < piece.length;) at += writeSync(descriptor, piece, at);
}

function keyOf(components: readonly Buffer[]): string {
  return components.map((component) => component.toString('latin1')).join('/');
}
