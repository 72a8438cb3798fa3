/** What a host demands of a plugin before anything of it is parsed or run. */
export interface TrustPolicy {
  /** `none`: anything runs, reports say how it is signed; `digest`: only named contents; `signed`: only signed packages. */
  readonly require: 'none' | 'digest' | 'signed';
  /** Trusted keys: 32 raw bytes each, optionally only for the plugin ids named. */
  readonly keys?: readonly (Uint8Array | { readonly key: Uint8Array; readonly ids: readonly string[] })[];
  /** Accepted package digests in hexadecimal, for `digest`. */
  readonly digests?: readonly string[];
  /** `all` refuses packages with files that the signature does not cover. @default 'original' */
  readonly covered?: 'original' | 'all';
}
