/** What every container's reader yields and the unpacker takes. */

/** One member of an archive, before anybody has judged it. */
export interface ArchiveEntry {
  /** Name as stored, bytes: nothing promises UTF-8. */
  readonly name: Buffer;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'special' | 'metadata';
  /** Where a symbolic link points, bytes as stored. */
  readonly target?: Buffer;
  /** Bytes the archive's own index or header states, before any override. */
  readonly statedBytes: number;
  /** Bytes that reading will give. */
  readonly bytes: number;
  /** Permission bits, or undefined where the archive has none. */
  readonly mode: number | undefined;
  /** Seconds, or undefined where the archive has none. */
  readonly mtime: number | undefined;
  /** The content; read at most once and before the next entry is asked for. */
  content(): AsyncGenerator<Buffer, void>;
}

/** What a reader noticed beside the entries. */
export interface ArchiveEnd {
  /** Bytes after the part that is read, as a sentence without its full stop, or undefined. */
  readonly remark?: string;
}

/** A container's reader. */
export type ArchiveEntries = AsyncGenerator<ArchiveEntry, void>;
