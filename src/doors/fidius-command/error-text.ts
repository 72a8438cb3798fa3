import { archiveReason, type ArchiveReason } from '../../archive/archive-failure.ts';
import { ArchiveError, CharmerError, TrustError } from '../../errors.ts';
import { osText } from './os-text.ts';
import { joinPath } from './paths.ts';

/** What the user called things: the original repeats it in its messages. */
export interface Names {
  readonly archive?: string;
  readonly output?: string;
  readonly directory?: string;
}

/** Turns an error of ours into the text that the original prints after `error: ` (Fidius spec §1.2, §2.5, §2.6). */
export function errorText(error: unknown, names: Names = {}): string {
  if (error instanceof ArchiveError) return archiveText(error, names) ?? `archive error: ${error.message}`;
  if (error instanceof TrustError) return trustText(error);
  if (error instanceof CharmerError) {
    const text = error.details?.['text'];
    return typeof text === 'string' ? text : error.message;
  }
  return osText(error) ?? (error instanceof Error ? error.message : String(error));
}

/** The text of an input or output error while a package is read or placed: the original blames the manifest. */
export function packageIoText(cause: unknown): string {
  const loop = archiveReason(cause) === 'link-loop' ? 'Too many levels of symbolic links (os error 40)' : undefined;
  return `io error reading package.toml: ${loop ?? osText(cause) ?? errorText(cause)}`;
}

const UNREADABLE: Partial<Record<ArchiveReason, string>> = {
  'stream-cut': 'decompression not finished but EOF reached',
  'stream-invalid': 'bzip2: invalid data',
  'no-stream-magic': 'bzip2: bz2 header missing',
  'header-cut': 'failed to read entire block',
  'header-checksum': 'archive header checksum mismatch',
  'size-out-of-range': 'size overflow',
  'long-name-without-member': 'members found describing a future member but no future member found',
  'two-long-names': 'two long name entries describing the same member',
};

const REJECTED: Partial<Record<ArchiveReason, string>> = {
  'path-traversal': "contains '..' component",
  'absolute-path': 'is an absolute path',
  symlink: 'is a symlink',
  hardlink: 'is a hardlink',
};

function archiveText(error: ArchiveError, names: Names): string | undefined {
  const reason = archiveReason(error);
  if (reason === undefined) return undefined;
  const fact = (name: string): string => String(error.details?.[name] ?? '');
  const cause = osText(error.cause) ?? '';
  const unreadable = UNREADABLE[reason];
  if (unreadable !== undefined) return `archive error: failed to read archive entry: ${unreadable}`;
  const rejected = REJECTED[reason];
  if (rejected !== undefined) return `archive entry '${fact('entry')}' ${rejected} — rejected`;
  switch (reason) {
    case 'cannot-open':
      return `archive error: failed to open ${names.archive ?? ''}: ${cause}`;
    case 'cannot-read':
      return `archive error: failed to read archive entry: ${cause}`;
    case 'size-not-a-number':
      return `archive error: failed to read archive entry: numeric field was not a number: ${fact('text')} when getting ${fact('field')} for ${fact('entry')}`;
    case 'name-unusable':
    case 'file-and-directory':
    case 'member-cut':
      return `archive error: failed to extract entry '${fact('entry')}': failed to unpack \`${fact('staging')}/${fact('entry')}\``;
    case 'size-limit':
      return `archive decompressed size ${fact('actual')} exceeds limit of ${fact('limit')} bytes`;
    case 'entry-limit':
      return `archive contains more than ${fact('limit')} entries — rejected`;
    case 'no-manifest':
      return 'invalid archive: archive does not contain a package.toml';
    case 'cannot-place':
      return packageIoText(error.cause);
    case 'cannot-create':
      return `archive error: failed to create ${names.output ?? ''}: ${cause}`;
    case 'cannot-add':
      return addText(error, names, cause);
    case 'unsafe-name':
      return nameText(error);
    case 'vendoring-failed':
      return vendorText(error, cause);
    default:
      return undefined;
  }
}

function addText(error: ArchiveError, { directory = '' }: Names, cause: string): string {
  const entry = String(error.details?.['entry'] ?? '');
  const where =
    error.details?.['step'] === 'metadata' ? ` when getting metadata for ${joinPath(directory, entry)}` : '';
  return `archive error: failed to add ${entry}: ${cause || error.message}${where}`;
}

function nameText(error: ArchiveError): string | undefined {
  const problem = error.details?.['problem'];
  if (problem === undefined) return undefined;
  const rule = problem === 'absolute' ? 'be relative' : 'not have `..`';
  return `archive error: failed to add ${String(error.details?.['entry'])}: paths in archives must ${rule} when setting path for `;
}

function vendorText(error: ArchiveError, cause: string): string {
  const { exitCode, stderr } = error.details ?? {};
  if (typeof exitCode === 'number')
    return `archive error: pip install failed (exit ${exitCode}):\n${String(stderr).trim()}`;
  return `archive error: failed to invoke \`python3 -m pip\` (is python3 on PATH?): ${cause || error.message}`;
}

const TRUST_TEXT: Readonly<Record<string, string>> = {
  'secret-key-length': 'secret key must be exactly 32 bytes',
  'public-key-length': 'public key must be exactly 32 bytes',
  'public-key-point': 'invalid public key: signature error: Cannot decompress Edwards point',
  'signature-length': 'signature must be exactly 64 bytes',
};

function trustText(error: TrustError): string {
  return TRUST_TEXT[String(error.details?.['reason'])] ?? error.message;
}
