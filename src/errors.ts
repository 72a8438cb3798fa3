/**
 * The class tree and the code table of every error that Charmer throws.
 *
 * The class says who should act, the code says what happened; `docs/reference/errors.md` explains each code.
 *
 *     CharmerError
 *     ├── ManifestError   the plugin's author
 *     ├── LocateError     whoever wrote the reference
 *     ├── ArchiveError    whoever made the archive
 *     ├── TrustError      the operator
 *     ├── ProvisionError  whoever keeps the machine
 *     ├── StartError      the plugin's author
 *     ├── CallError       the caller
 *     │   └── PluginError the plugin said no
 *     ├── ProtocolError   a broken runner
 *     ├── PipelineError   whoever wrote the pipeline manifest
 *     └── StoreError      the operator
 */

/** Every error code with the name of its class. Pinned by a test and checked against the errors page. */
export const ERROR_CODES = {
  MANIFEST_NOT_FOUND: 'ManifestError',
  MANIFEST_INVALID: 'ManifestError',
  FORMAT_UNKNOWN: 'ManifestError',
  FORMAT_AMBIGUOUS: 'ManifestError',
  INTERFACE_SOURCE_INVALID: 'ManifestError',
  REFERENCE_INVALID: 'LocateError',
  PLUGIN_NOT_FOUND: 'LocateError',
  PLUGIN_AMBIGUOUS: 'LocateError',
  DOWNLOAD_FAILED: 'LocateError',
  NATIVE_PLUGIN_UNSUPPORTED: 'LocateError',
  ARCHIVE_INVALID: 'ArchiveError',
  ARCHIVE_UNSAFE: 'ArchiveError',
  ARCHIVE_TOO_LARGE: 'ArchiveError',
  SIGNATURE_MISSING: 'TrustError',
  SIGNATURE_INVALID: 'TrustError',
  KEY_UNTRUSTED: 'TrustError',
  DIGEST_MISMATCH: 'TrustError',
  PYTHON_NOT_FOUND: 'ProvisionError',
  PYTHON_TOO_OLD: 'ProvisionError',
  DEPENDENCIES_FAILED: 'ProvisionError',
  CONFINEMENT_UNAVAILABLE: 'ProvisionError',
  SPAWN_FAILED: 'StartError',
  EXITED_BEFORE_READY: 'StartError',
  READY_TIMEOUT: 'StartError',
  VERSION_MISMATCH: 'StartError',
  INTERFACE_MISMATCH: 'StartError',
  IMPORT_FAILED: 'StartError',
  CALL_TIMEOUT: 'CallError',
  PLUGIN_EXITED: 'CallError',
  OPERATION_UNKNOWN: 'CallError',
  WIRE_MODE_MISMATCH: 'CallError',
  ARGUMENT_INVALID: 'CallError',
  RESULT_INVALID: 'CallError',
  OUTPUT_TOO_LARGE: 'CallError',
  OVERLOADED: 'CallError',
  BREAKER_OPEN: 'CallError',
  RELOAD_REFUSED: 'CallError',
  SECRET_MISSING: 'CallError',
  HOST_CLOSED: 'CallError',
  PLUGIN_RAISED: 'PluginError',
  FRAME_TOO_LARGE: 'ProtocolError',
  FRAME_MALFORMED: 'ProtocolError',
  MESSAGE_UNEXPECTED: 'ProtocolError',
  PIPELINE_INVALID: 'PipelineError',
  GRAPH_CYCLE: 'PipelineError',
  NODE_UNKNOWN: 'PipelineError',
  PORT_UNKNOWN: 'PipelineError',
  NOT_INSTALLED: 'StoreError',
  PLUGIN_DISABLED: 'StoreError',
  LOCK_MISMATCH: 'StoreError',
  SECRET_UNREADABLE: 'StoreError',
} as const;

/** What happened, in one word. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The codes that belong to one class of the tree. */
export type CodeOf<ClassName extends string> = {
  [Code in ErrorCode]: (typeof ERROR_CODES)[Code] extends ClassName ? Code : never;
}[ErrorCode];

/** How a process ended: part of `close()` results, call reports and errors alike. */
export interface ExitReport {
  readonly pid: number;
  /** Exit status, or null when a signal ended the process. */
  readonly code: number | null;
  /** Name of the signal that ended the process, for example `SIGSEGV`, or null. */
  readonly signal: string | null;
  /** Who ended it: the process itself, the host's stop ladder, or something outside both. */
  readonly by: 'itself' | 'host' | 'outside';
  /** From start to exit, in milliseconds. */
  readonly durationMs: number;
  /** User and system time of the process and its reaped children, in milliseconds. */
  readonly cpuMs: number;
  /** Largest resident set, in bytes. */
  readonly peakMemoryBytes: number;
  /** The last lines written to standard error, oldest first. */
  readonly stderrTail: readonly string[];
}

/** Evidence that an error may carry beside its code and message. */
export interface ErrorEvidence {
  /** Id of the plugin concerned. */
  readonly plugin?: string | undefined;
  /** What to do next, as one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** File or directory concerned. */
  readonly path?: string | undefined;
  /** Line in `path`, from 1. */
  readonly line?: number | undefined;
  /** Column in `path`, from 1. */
  readonly column?: number | undefined;
  /** Dotted manifest key or field concerned. */
  readonly key?: string | undefined;
  /** Operation that was called. */
  readonly operation?: string | undefined;
  readonly exit?: ExitReport | undefined;
  /** Last lines of the plugin's standard error, oldest first. */
  readonly stderrTail?: readonly string[] | undefined;
  /** Python traceback of the plugin. */
  readonly traceback?: string | undefined;
  /** Python stacks of a worker that was busy at a deadline. */
  readonly stacks?: string | undefined;
  /** Facts that only one kind of error has: names as in the errors page. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Base of every error that Charmer throws. */
export class CharmerError extends Error {
  override name = 'CharmerError';
  readonly code: ErrorCode;
  declare readonly plugin?: string;
  declare readonly hint?: string;
  declare readonly path?: string;
  declare readonly line?: number;
  declare readonly column?: number;
  declare readonly key?: string;
  declare readonly operation?: string;
  declare readonly exit?: ExitReport;
  declare readonly stderrTail?: readonly string[];
  declare readonly traceback?: string;
  declare readonly stacks?: string;
  declare readonly details?: Readonly<Record<string, unknown>>;
  /** The `CallReport` of a failed call. Not enumerable: it would be in every line of a log. */
  declare readonly report?: object;

  /**
   * @param message One line, sentence case, no final period, values quoted: the state, then what was expected.
   */
  constructor(code: ErrorCode, message: string, evidence: ErrorEvidence = {}) {
    const { cause, ...fields } = evidence;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
  }
}

/** A plugin's manifest is absent, broken or claimed by no format or by several. */
export class ManifestError extends CharmerError {
  override name = 'ManifestError';
  declare readonly code: CodeOf<'ManifestError'>;
  constructor(code: CodeOf<'ManifestError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** A reference names nothing that can be loaded. */
export class LocateError extends CharmerError {
  override name = 'LocateError';
  declare readonly code: CodeOf<'LocateError'>;
  constructor(code: CodeOf<'LocateError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** An archive is damaged, unsafe or too large. */
export class ArchiveError extends CharmerError {
  override name = 'ArchiveError';
  declare readonly code: CodeOf<'ArchiveError'>;
  constructor(code: CodeOf<'ArchiveError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** A plugin is not what the trust policy asks for. */
export class TrustError extends CharmerError {
  override name = 'TrustError';
  declare readonly code: CodeOf<'TrustError'>;
  constructor(code: CodeOf<'TrustError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** The machine lacks what the plugin needs to start. */
export class ProvisionError extends CharmerError {
  override name = 'ProvisionError';
  declare readonly code: CodeOf<'ProvisionError'>;
  constructor(code: CodeOf<'ProvisionError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** A plugin's process did not become ready. */
export class StartError extends CharmerError {
  override name = 'StartError';
  declare readonly code: CodeOf<'StartError'>;
  constructor(code: CodeOf<'StartError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** A call could not be made or did not come to an answer. */
export class CallError extends CharmerError {
  override name = 'CallError';
  declare readonly code: CodeOf<'CallError' | 'PluginError'>;
  constructor(code: CodeOf<'CallError' | 'PluginError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** What the plugin itself said about its failure. */
export interface PluginErrorEvidence extends ErrorEvidence {
  /** The plugin's own error code, for example `EMPTY_INPUT`, or the Python class name. */
  readonly pluginCode: string;
  /** The plugin's own details, any JSON value. */
  readonly pluginDetails?: unknown;
}

/** The plugin ran and answered with an error of its own. */
export class PluginError extends CallError {
  override name = 'PluginError';
  declare readonly code: 'PLUGIN_RAISED';
  readonly pluginCode: string;
  declare readonly pluginDetails?: unknown;
  constructor(message: string, evidence: PluginErrorEvidence) {
    const { pluginCode, pluginDetails, ...rest } = evidence;
    super('PLUGIN_RAISED', message, rest);
    this.pluginCode = pluginCode;
    if (pluginDetails !== undefined) this.pluginDetails = pluginDetails;
  }
}

/** The two sides of a wire do not understand each other. */
export class ProtocolError extends CharmerError {
  override name = 'ProtocolError';
  declare readonly code: CodeOf<'ProtocolError'>;
  constructor(code: CodeOf<'ProtocolError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** A pipeline manifest cannot be run as written. */
export class PipelineError extends CharmerError {
  override name = 'PipelineError';
  declare readonly code: CodeOf<'PipelineError'>;
  constructor(code: CodeOf<'PipelineError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}

/** The store of installed plugins refuses. */
export class StoreError extends CharmerError {
  override name = 'StoreError';
  declare readonly code: CodeOf<'StoreError'>;
  constructor(code: CodeOf<'StoreError'>, message: string, evidence?: ErrorEvidence) {
    super(code, message, evidence);
  }
}
