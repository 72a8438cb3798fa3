import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ArchiveRules } from '../plugin-spec.ts';
import { archiveFailure } from './archive-failure.ts';
import { comparePaths, type TreeFile, walkTree } from './tree-walk.ts';

/** How a package directory is digested. */
export interface DigestOptions {
  /**
   * `original`: what the original's signature covers, so neither excluded directories nor any file with the signature's
   * extension. `all`: every file on disk but the signature itself. @default 'original'
   */
  readonly coverage?: 'original' | 'all';
  readonly signal?: AbortSignal;
}

/** What a package directory holds, in one number. */
export interface TreeDigest {
  /** SHA-256, 32 bytes: the message that a signature signs. */
  readonly digest: Buffer;
  /** The same in lower-case hexadecimal. */
  readonly hex: string;
  /** Paths that went into the digest, in order. */
  readonly covered: readonly string[];
  /** Files on disk that the original's digest leaves out, the signature excepted, in order (spec rows FW3, FW4). */
  readonly uncovered: readonly string[];
  /** Files whose content lies outside the directory, reached through a link (spec row FW12). */
  readonly escaping: readonly string[];
}

/**
 * Digests a package directory: SHA-256 over length, path, length and content of every file in byte order of the paths
 * (package spec §3.2, row F11). Throws what the file system throws, and `ARCHIVE_UNSAFE` for a tree that has no portable
 * digest (link loops, names that are not UTF-8).
 */
export async function digestTree(
  directory: string,
  rules: ArchiveRules,
  options: DigestOptions = {},
): Promise<TreeDigest> {
  const everything = walkTree(directory, { excludedDirectories: [] });
  const isCovered = coverageOf(rules);
  const withoutSignature = everything.filter((file) => file.path !== rules.signatureFile);
  const taken = options.coverage === 'all' ? withoutSignature : everything.filter((file) => isCovered(file.path));
  const digest = await digestFiles(taken, options.signal);
  return {
    digest,
    hex: digest.toString('hex'),
    covered: taken.map((file) => file.path),
    uncovered: withoutSignature.filter((file) => !isCovered(file.path)).map((file) => file.path),
    escaping: taken.filter((file) => file.escapes).map((file) => file.path),
  };
}

/** Says of a path inside a package whether the original's signature covers it. */
export function coverageOf(rules: ArchiveRules): (file: string) => boolean {
  const suffix = path.posix.extname(rules.signatureFile);
  return (file) => {
    const components = file.split('/');
    const name = components.pop() ?? '';
    return !name.endsWith(suffix) && !components.some((component) => rules.excludedDirectories.includes(component));
  };
}

/** Digests files that the caller has chosen; sorts them first. */
export async function digestFiles(files: readonly TreeFile[], signal?: AbortSignal): Promise<Buffer> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let sinceTurn = 0;
  for (const file of [...files].sort((left, right) => comparePaths(left.path, right.path))) {
    signal?.throwIfAborted();
    const name = Buffer.from(file.path);
    hash.update(lengthOf(name.length)).update(name);
    sinceTurn += hashContent(hash, file, buffer);
    if (sinceTurn > TURN_BYTES) {
      await nextTurn();
      sinceTurn = 0;
    }
  }
  return hash.digest();
}

/** One read; small enough to stay in cache. */
const READ_BYTES = 256 * 1024;
/** Bytes hashed before the event loop gets a turn: about 10 ms. */
const TURN_BYTES = 8 * 1024 * 1024;

function hashContent(hash: Hash, file: TreeFile, buffer: Buffer): number {
  const descriptor = openSync(file.absolute, 'r');
  try {
    const size = fstatSync(descriptor).size;
    hash.update(lengthOf(size));
    let read = 0;
    for (let n = readSync(descriptor, buffer); n > 0; n = readSync(descriptor, buffer)) {
      hash.update(buffer.subarray(0, n));
      read += n;
    }
    if (read !== size) {
      throw archiveFailure(
        'cannot-read',
        `File '${file.path}' changed from ${size} to ${read} bytes while being read`,
        {
          path: file.absolute,
        },
      );
    }
    return read;
  } finally {
    closeSync(descriptor);
  }
}

function lengthOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
