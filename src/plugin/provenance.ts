/** Where a plugin is from, and what is known about its makers. */
export interface Provenance {
  /** What the user wrote. */
  readonly reference: string;
  readonly source: 'directory' | 'archive' | 'search' | 'github' | 'installed';
  /** Absolute directory that runs: the user's own, or a verified copy. */
  readonly directory: string;
  /** State of the signature; `unchecked` under the policy `none` with a signature present. */
  readonly signature: 'unsigned' | 'unchecked' | 'valid';
  /** Digest of the package in hexadecimal, where it was computed. */
  readonly digest?: string;
  /** Fingerprint of the key that signed. */
  readonly signedBy?: string;
  /** Files that the signature does not cover. */
  readonly uncoveredFiles?: readonly string[];
}
