import { CharmerError, type ErrorCode } from '../../errors.ts';

/** Names of the original's load errors that occur for Python packages. */
export type LoadErrorKind = 'PluginNotFound' | 'SignatureRequired' | 'SignatureInvalid' | 'Io' | 'PythonLoad';

/** Names of the original's call errors that occur for Python packages. */
export type CallErrorKind =
  | 'Serialization'
  | 'Deserialization'
  | 'Plugin'
  | 'InvalidMethodIndex'
  | 'WireModeMismatch'
  | 'NotImplemented'
  | 'Backend';

/** A package could not be loaded: the original's name and text, with our error as `cause`. */
export class LoadError extends CharmerError {
  override name = 'LoadError';
  readonly kind: LoadErrorKind;
  constructor(kind: LoadErrorKind, text: string, cause: { readonly code: ErrorCode } & Error) {
    super(cause.code, text, { cause });
    this.kind = kind;
  }
}

/** What a plugin said, in the original's three fields. */
export interface PluginFailure {
  readonly code: string;
  readonly message: string;
  /** JSON text, or null. */
  readonly details: string | null;
}

/** A call failed: the original's name and text, with our error as `cause`. */
export class CallError extends CharmerError {
  override name = 'CallError';
  readonly kind: CallErrorKind;
  /** Set for kind `Plugin`. */
  declare readonly pluginFailure?: PluginFailure;
  constructor(kind: CallErrorKind, text: string, facts: CallErrorFacts) {
    super(facts.code, text, { cause: facts.cause });
    this.kind = kind;
    if (facts.pluginFailure !== undefined) this.pluginFailure = facts.pluginFailure;
  }
}

/** What stands behind a `CallError`. */
export interface CallErrorFacts {
  readonly code: ErrorCode;
  readonly cause?: unknown;
  readonly pluginFailure?: PluginFailure;
}
