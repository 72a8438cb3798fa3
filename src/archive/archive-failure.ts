import { ArchiveError, type ErrorEvidence } from '../errors.ts';
import type { Finding } from '../plugin-spec.ts';

/** Why an archive or a tree is refused: finer than the code, the same words everywhere. Found in `details.reason`. */
export type ArchiveReason = keyof typeof CODE_OF_REASON;

/** Something odd about an archive that does not stop it from being used, unless `strict` is set. */
export interface ArchiveFinding extends Finding {
  /** Short kebab-case name of what is odd. */
  readonly kind: string;
}

/** The code of every reason; whoever adds a reason decides who it is addressed to. */
const CODE_OF_REASON = {
  'cannot-open': 'ARCHIVE_INVALID',
  'cannot-read': 'ARCHIVE_INVALID',
  'cannot-create': 'ARCHIVE_INVALID',
  'cannot-add': 'ARCHIVE_INVALID',
  'cannot-place': 'ARCHIVE_INVALID',
  'no-stream-magic': 'ARCHIVE_INVALID',
  'stream-invalid': 'ARCHIVE_INVALID',
  'stream-cut': 'ARCHIVE_INVALID',
  'header-cut': 'ARCHIVE_INVALID',
  'header-checksum': 'ARCHIVE_INVALID',
  'size-not-a-number': 'ARCHIVE_INVALID',
  'size-out-of-range': 'ARCHIVE_INVALID',
  'long-name-without-member': 'ARCHIVE_INVALID',
  'two-long-names': 'ARCHIVE_INVALID',
  'member-cut': 'ARCHIVE_INVALID',
  'sparse-map': 'ARCHIVE_INVALID',
  'name-unusable': 'ARCHIVE_UNSAFE',
  'file-and-directory': 'ARCHIVE_INVALID',
  'checksum-mismatch': 'ARCHIVE_INVALID',
  'size-mismatch': 'ARCHIVE_INVALID',
  'zip-invalid': 'ARCHIVE_INVALID',
  'no-manifest': 'ARCHIVE_INVALID',
  'several-packages': 'ARCHIVE_INVALID',
  'identity-mismatch': 'ARCHIVE_INVALID',
  'signature-covers-left-out': 'ARCHIVE_INVALID',
  'vendoring-failed': 'ARCHIVE_INVALID',
  'path-traversal': 'ARCHIVE_UNSAFE',
  'absolute-path': 'ARCHIVE_UNSAFE',
  symlink: 'ARCHIVE_UNSAFE',
  hardlink: 'ARCHIVE_UNSAFE',
  'special-file': 'ARCHIVE_UNSAFE',
  'unsafe-name': 'ARCHIVE_UNSAFE',
  'escaping-link': 'ARCHIVE_UNSAFE',
  'link-loop': 'ARCHIVE_UNSAFE',
  'secret-file': 'ARCHIVE_UNSAFE',
  'strict-finding': 'ARCHIVE_UNSAFE',
  'size-limit': 'ARCHIVE_TOO_LARGE',
  'entry-limit': 'ARCHIVE_TOO_LARGE',
  'metadata-limit': 'ARCHIVE_TOO_LARGE',
} as const;

/** Makes the coded error of a reason; `details` gets the reason and whatever facts are given. */
export function archiveFailure(
  reason: ArchiveReason,
  message: string,
  evidence: ErrorEvidence & { readonly facts?: Readonly<Record<string, unknown>> } = {},
): ArchiveError {
  const { facts, ...rest } = evidence;
  return new ArchiveError(CODE_OF_REASON[reason], message, { ...rest, details: { reason, ...facts } });
}

/** The reason inside an error of this folder, or undefined for any other value. */
export function archiveReason(error: unknown): ArchiveReason | undefined {
  if (!(error instanceof ArchiveError)) return undefined;
  const reason = error.details?.['reason'];
  return typeof reason === 'string' && reason in CODE_OF_REASON ? (reason as ArchiveReason) : undefined;
}
