/** Where a reference led, and what `locate` needs to follow it. */
import type { RemoteSource } from '../formats/format.ts';
import type { FormatClaim } from './claim-format.ts';

/** How a plugin's directory was found. */
export interface LocatedSource {
  readonly kind: 'directory' | 'archive' | 'search' | 'github' | 'installed';
  /** What the user wrote. */
  readonly reference: string;
  /** The archive's path, the search path, or the remote source in words. */
  readonly detail?: string;
  /** Set for remote sources. */
  readonly remote?: RemoteSource;
}

/** A plugin's directory, before anything in it was trusted or parsed. */
export interface Located {
  /** Absolute; links are not resolved, because its parent as written is part of what some plugins see. */
  readonly directory: string;
  readonly format: string;
  readonly source: LocatedSource;
}

/** What a plugin calls itself. */
export interface Identity {
  readonly id: string;
  readonly version?: string;
}

/** Where to look, and what only others know, as functions. */
export interface LocateOptions {
  readonly formats: readonly FormatClaim[];
  /** Directories of plugins, looked through one level deep. */
  readonly searchPath: readonly string[];
  /** Absolute directory that relative references start from. */
  readonly baseDir: string;
  readonly signal?: AbortSignal | undefined;
  /** Unpacks an archive and returns the directory of the plugin in it. */
  readonly unpackArchive?: ((file: string) => Promise<string>) | undefined;
  /** Reads a reference such as `owner/repo@tag`; undefined: it is none. */
  readonly parseRemote?: ((text: string) => RemoteSource | undefined) | undefined;
  /** Brings a remote source here and returns its directory, or its archive. */
  readonly fetchRemote?: ((source: RemoteSource) => Promise<string>) | undefined;
  /** The directory of an installed plugin, or undefined when there is none of that id. */
  readonly lookUpInstalled?: ((id: string) => Promise<string | undefined>) | undefined;
  /** What the manifest in a directory says the plugin is called; undefined where it cannot be read. */
  readonly readId?: ((directory: string, format: string) => Identity | string | undefined) | undefined;
}
