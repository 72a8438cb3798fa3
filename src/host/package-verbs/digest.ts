import { digestTree } from '../../archive/tree-digest.ts';
import { existing, readingPackage, withPackage, type PackageVerbOptions } from './target.ts';

/** What is digested. */
export interface DigestVerbOptions extends PackageVerbOptions {
  /** `all`: also the files that a signature does not cover. @default 'original' */
  readonly coverage?: 'original' | 'all' | undefined;
}

/** What a package holds, in one number. */
export interface DigestResult {
  /** SHA-256 in hexadecimal: what signatures sign and trust policies name. */
  readonly digest: string;
  /** Paths that went into it, in order. */
  readonly covered: readonly string[];
  /** Files that a signature does not cover, in order. */
  readonly uncovered: readonly string[];
}

/**
 * Digests a package's directory, or the package in an archive.
 *
 * @throws LocateError | ManifestError | ArchiveError there is no package, or it has no digest
 */
export async function digest(path: string, options: DigestVerbOptions = {}): Promise<DigestResult> {
  const { coverage = 'original', signal } = options;
  return readingPackage(existing(path), () =>
    withPackage(path, options, async ({ directory, format }) => {
      const found = await digestTree(directory, format.archive, { coverage, ...(signal && { signal }) });
      return { digest: found.hex, covered: found.covered, uncovered: found.uncovered };
    }),
  );
}
