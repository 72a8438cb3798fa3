import type { ArchiveEntry } from './archive-entry.ts';
import { type ArchiveFinding, archiveFailure } from './archive-failure.ts';
import type { UnpackLimits } from './archive-limits.ts';
import { foldName, judgeName, type NameOddity, printableName } from './entry-name.ts';

/** How entries are judged. */
export interface CheckPolicy {
  readonly limits: UnpackLimits;
  /** Size of the archive itself, in bytes. */
  readonly archiveBytes: number;
  /** The original's verdicts and their order: sizes as stated, not as read. */
  readonly compat: boolean;
  /** Whether everything odd is refused. */
  readonly strict: boolean;
  /** Whether symbolic links that stay inside their top directory are kept. @default false */
  readonly keepsInnerLinks?: boolean;
  /** Oddities of names that are refused outright: zip archives come from anywhere. */
  readonly refusedOddities: readonly NameOddity[];
}

/** An entry that passed, in terms of what is to be written. */
export interface CheckedEntry {
  readonly kind: 'file' | 'directory' | 'link' | 'nothing';
  readonly components: readonly Buffer[];
  /** Where a link points: a relative path that stays inside. */
  readonly target?: Buffer;
}

/**
 * Judges the entries of one archive in stream order. The order of the checks is the original's: count, link, path, size,
 * then whatever makes writing impossible (package spec §2.5, rows F7, FW8, FW11).
 */
export class EntryChecks {
  readonly #policy: CheckPolicy;
  /** What is at each path, key as byte string. */
  readonly #kinds = new Map<string, 'file' | 'directory'>();
  /** First spelling of each folded path. */
  readonly #spellings = new Map<string, string>();
  readonly findings: ArchiveFinding[] = [];
  #count = 0;
  #bytes = 0;

  constructor(policy: CheckPolicy) {
    this.#policy = policy;
  }

  /** Bytes of all entries so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** What the checked entries put at a path given as components, or undefined. */
  kindAt(...components: Buffer[]): 'file' | 'directory' | undefined {
    return this.#kinds.get(keyOf(components));
  }

  /** Names at the top of the archive, in order of appearance. */
  topLevel(): { readonly name: Buffer; readonly kind: 'file' | 'directory' }[] {
    return [...this.#kinds]
      .filter(([key]) => !key.includes('/'))
      .map(([key, kind]) => ({ name: Buffer.from(key, 'latin1'), kind }));
  }

  /** Throws the coded error of the first thing that is wrong with an entry. */
  check(entry: ArchiveEntry): CheckedEntry {
    const label = entry.name.toString();
    this.#checkCount();
    this.#checkLink(entry, label);
    const verdict = judgeName(entry.name);
    if (!verdict.ok && verdict.problem !== 'name-unusable') throw unsafe(verdict.problem, label, verdict.why);
    this.#checkSize(entry);
    if (!verdict.ok) throw unsafe(verdict.problem, label, verdict.why);
    for (const oddity of verdict.oddities) this.#odd(oddity, label);
    if (entry.type === 'metadata' || verdict.components.length === 0) return { kind: 'nothing', components: [] };
    if (entry.type === 'special')
      this.#find(
        'special-file',
        label,
        `Entry '${printableName(label)}' is a device, a pipe or of an unknown type; its bytes become a plain file`,
      );
    if (entry.statedBytes !== entry.bytes)
      this.#find(
        'size-override',
        label,
        `Entry '${printableName(label)}' states ${entry.statedBytes} bytes and has ${entry.bytes}; what it has is counted`,
      );
    const kind = entry.type === 'directory' ? 'directory' : 'file';
    this.#enter(verdict.components, kind, label);
    if (entry.type !== 'symlink' || entry.target === undefined) return { kind, components: verdict.components };
    checkInnerLink(verdict.components, entry.target, label);
    return { kind: 'link', components: verdict.components, target: entry.target };
  }

  /** Remembers something odd, or refuses it when the policy is strict. */
  find(kind: string, file: string, message: string): void {
    this.#find(kind, file, message);
  }

  #checkCount(): void {
    this.#count++;
    const { maxEntries } = this.#policy.limits;
    if (this.#count > maxEntries) {
      throw archiveFailure('entry-limit', `Archive has more than ${maxEntries} entries`, {
        facts: { limit: maxEntries },
        hint: 'Raise the limit if you trust the archive',
      });
    }
  }

  #checkLink(entry: ArchiveEntry, label: string): void {
    if (entry.type === 'symlink' && this.#policy.keepsInnerLinks !== true)
      throw unsafe('symlink', label, 'is a symbolic link; packages hold files only');
    if (entry.type === 'hardlink') throw unsafe('hardlink', label, 'is a hard link; packages hold files only');
  }

  #checkSize(entry: ArchiveEntry): void {
    const { limits, archiveBytes, compat } = this.#policy;
    this.#bytes += compat ? entry.statedBytes : Math.max(entry.statedBytes, entry.bytes);
    const byRatio = limits.maxRatio > 0 && archiveBytes > 0 ? archiveBytes * limits.maxRatio : Number.POSITIVE_INFINITY;
    const limit = this.#bytes > limits.maxBytes ? limits.maxBytes : Math.max(byRatio, limits.ratioFloorBytes);
    if (this.#bytes <= limit) return;
    throw archiveFailure('size-limit', `Archive holds ${this.#bytes} bytes or more, over the limit of ${limit} bytes`, {
      facts: { limit, actual: this.#bytes, archiveBytes },
      hint: 'Raise the limit if you trust the archive',
    });
  }

  #enter(components: readonly Buffer[], kind: 'file' | 'directory', label: string): void {
    for (let depth = 1; depth < components.length; depth++) {
      this.#place(components.slice(0, depth), 'directory', label);
    }
    if (kind === 'file' && this.#kinds.get(keyOf(components)) === 'file')
      this.#find('repeated-entry', label, `Entry '${printableName(label)}' occurs more than once; the last one counts`);
    this.#place(components, kind, label);
  }

  #place(components: readonly Buffer[], kind: 'file' | 'directory', label: string): void {
    const key = keyOf(components);
    const there = this.#kinds.get(key);
    if (there !== undefined && there !== kind) {
      throw archiveFailure(
        'file-and-directory',
        `Entry '${printableName(label)}' needs a directory where there is a file, or the reverse`,
        {
          facts: { entry: label },
        },
      );
    }
    if (there !== undefined) return;
    this.#kinds.set(key, kind);
    const text = Buffer.from(key, 'latin1').toString();
    const folded = foldName(text);
    const other = this.#spellings.get(folded);
    if (other === undefined) this.#spellings.set(folded, text);
    else this.#clash(text, other);
  }

  #clash(name: string, other: string): void {
    const message = `Entries '${printableName(other)}' and '${printableName(name)}' are one file where case or Unicode composition does not count`;
    if (IS_FOLDING_PLATFORM && !this.#policy.compat)
      throw archiveFailure('unsafe-name', message, { facts: { entry: name } });
    this.#find('clashing-names', name, message);
  }

  #odd(oddity: NameOddity, label: string): void {
    const message = `Entry '${printableName(label)}' ${MEANING[oddity]}`;
    if (this.#policy.refusedOddities.includes(oddity))
      throw archiveFailure('unsafe-name', message, { facts: { entry: label } });
    this.#find(oddity, label, message);
  }

  #find(kind: string, file: string, message: string): void {
    if (this.#policy.strict) {
      throw archiveFailure('strict-finding', message, {
        facts: { entry: file, kind },
        hint: 'Unpack without strict to accept it',
      });
    }
    this.findings.push({ severity: 'warning', kind, file, message });
  }
}

/** A link must be relative and must not leave the top directory; where it leads on disk is checked once it is there. */
function checkInnerLink(components: readonly Buffer[], target: Buffer, label: string): void {
  const text = target.toString('latin1');
  let depth = components.length - 2;
  for (const part of text.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) break;
  }
  if (text !== '' && !text.startsWith('/') && !text.includes('\0') && depth >= 0) return;
  throw archiveFailure(
    'escaping-link',
    `Entry '${printableName(label)}' is a link to '${target.toString()}', outside the package`,
    {
      facts: { entry: label },
    },
  );
}

/** Systems whose file names fold case or composition by default. */
const IS_FOLDING_PLATFORM = process.platform === 'darwin' || process.platform === 'win32';

const MEANING: Readonly<Record<NameOddity, string>> = {
  backslash: 'holds a backslash, which separates directories on Windows',
  drive: 'begins like a Windows drive',
  'reserved-name': 'has a name that Windows keeps for devices',
  'trailing-dot-or-blank': 'has a part that ends in a dot or a blank, which Windows drops',
  'not-utf8': 'has a name that is not UTF-8',
  'control-character': 'has a control character in its name',
};

function keyOf(components: readonly Buffer[]): string {
  return components.map((component) => component.toString('latin1')).join('/');
}

function unsafe(
  reason: 'symlink' | 'hardlink' | 'path-traversal' | 'absolute-path' | 'name-unusable',
  entry: string,
  why: string,
): Error {
  return archiveFailure(reason, `Entry '${printableName(entry)}' ${why}`, { facts: { entry } });
}
