/** The contract of a format: one folder that turns a directory of the outside world into a `PluginSpec`. */
import type { PipelineManifest } from '../pipeline-manifest.ts';
import type {
  ArchiveRules,
  Finding,
  JsonObject,
  JsonValue,
  Operation,
  PluginSpec,
  PythonNeeds,
} from '../plugin-spec.ts';

/** A directory that a format reads its manifest from. No other file system access is allowed to `read`. */
export interface ReadonlyTree {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** The bytes of a file, or undefined when there is no such file. Path relative to the directory, with `/`. */
  read(path: string): Uint8Array | undefined;
  /** What is at a path, links followed. */
  kind(path: string): 'file' | 'directory' | 'absent';
  /** Names of the entries of a sub-directory (`''` for the root), sorted; empty when there is none. */
  list(path: string): readonly string[];
}

/** Where a reference that is not a path leads. */
export interface RemoteSource {
  readonly kind: 'github';
  readonly owner: string;
  readonly repository: string;
  /** A tag, or `latest`. */
  readonly tag: string;
  /** SHA-256 of the archive in hexadecimal, where the reference states one. */
  readonly sha256?: string;
}

/** What a caller adds to a spec when a resident plugin is opened. */
export interface OpeningRequest {
  /** Interface descriptor given by the caller; the format checks it. */
  readonly interface?: JsonObject;
  /** Configuration of this instance, any JSON value; undefined: none was given. */
  readonly config?: JsonValue;
  /** Whether the original's conversions are reproduced where ours are better. @default false */
  readonly strict?: boolean;
}

/** A plugin that lives in one process and answers many calls through the wire. */
export interface ResidentConversation {
  readonly kind: 'resident';
  /** Absolute path of the format's Python half. */
  readonly dialect: string;
  /** Modules of the format's own that its Python half imports at every start, for fork servers: `DIRECTORY:module`. @default none */
  readonly preload?: readonly string[];
  /** What `dialect.open` is given; throws `ARGUMENT_INVALID` for a descriptor or configuration that cannot be used. */
  opening(spec: PluginSpec, request: OpeningRequest): JsonObject;
  /** Turns arguments into what the wire carries, for formats with values of their own. */
  encodeArguments?(operation: Operation, args: readonly unknown[], request: OpeningRequest): readonly unknown[];
  /** What turns the values that an operation gives into what the caller sees; undefined where they are that already. */
  decoderOf?(operation: Operation, request: OpeningRequest): ((value: unknown) => unknown) | undefined;
}

/** One call of a one-shot plugin, before it is bytes. */
export interface OneShotCall {
  readonly operation: string;
  /** `single`: one input; `batch`: many in one process. */
  readonly mode: 'single' | 'batch';
  readonly input?: unknown;
  readonly items?: readonly { readonly id: string; readonly input: unknown }[];
  /** Secret values by key. */
  readonly auth: Readonly<Record<string, string>>;
  readonly strict: boolean;
  /** Configuration given at load: the format's own switches for reading replies. */
  readonly config?: JsonValue | undefined;
}

/** How a one-shot process ended and what it wrote. */
export interface OneShotReply {
  readonly stdout: Uint8Array;
  /** Exit status, or null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Something odd about a reply that does not change its value. */
export interface Diagnostic {
  /** Short kebab-case name of what is odd. */
  readonly kind: string;
  readonly message: string;
  readonly details?: JsonObject;
}

/** What a one-shot reply means. */
export type Verdict =
  | { readonly ok: true; readonly value: unknown; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly failure: OneShotFailure; readonly diagnostics: readonly Diagnostic[] };

/** Why a reply is an error. */
export interface OneShotFailure {
  /** `plugin`: the plugin's own error; `exit`: it ended badly; `parse`: its output is no reply. */
  readonly kind: 'plugin' | 'exit' | 'parse';
  readonly message: string;
  /** Where in the output the parser gave up, in UTF-16 units. */
  readonly offset?: number;
  readonly details?: JsonObject;
}

/** One row of a batch: exactly one per item, in input order. */
export interface BatchRow {
  readonly id: string;
  readonly result?: unknown;
  readonly error?: unknown;
  /** True where the plugin left the item out. */
  readonly missing?: boolean;
}

/** A plugin that is a fresh process per call: bytes in, bytes out. Both functions are pure. */
export interface OneShotConversation {
  readonly kind: 'one-shot';
  /** Total deadlines in milliseconds that the format's plugins are written for. */
  readonly defaultTimeoutMs: { readonly single: number; readonly batch: number };
  /** Whether one process may be given many items. */
  canBatch(spec: PluginSpec): boolean;
  encodeCall(spec: PluginSpec, call: OneShotCall): Uint8Array;
  decodeReply(spec: PluginSpec, call: OneShotCall, reply: OneShotReply): Verdict;
}

/** One node of a pipeline, as the format's Python half is told of it. */
export interface NodeRequest {
  readonly nodeType: string;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly params: JsonObject;
}

/** What a format knows of pipelines: their manifests, and how its plugins become nodes. */
export interface PipelineReader {
  /** Reads JSON text, or what it parses to. Throws `PIPELINE_INVALID`, `NODE_UNKNOWN`. */
  parse(manifest: unknown, path?: string): PipelineManifest;
  /** Classifies one entry of `plugins`. Throws `REFERENCE_INVALID`, `NATIVE_PLUGIN_UNSUPPORTED`. */
  parseEntry(entry: JsonValue): { readonly kind: 'local'; readonly path: string } | RemoteSource;
  /** What a plugin needs from Python with what the pipeline adds; strict: as its original would have it. */
  pythonFor(
    spec: PluginSpec,
    added: {
      readonly pythonDeps: readonly string[];
      readonly extraDeps: readonly string[];
      readonly version?: string | undefined;
      readonly isStrict?: boolean | undefined;
    },
  ): PythonNeeds;
  /** The configuration under which a plugin of this format opens one node. */
  nodeConfiguration(node: NodeRequest): JsonObject;
  /** What the host's environment says about running pipelines of this format. */
  settings?(env: Readonly<Record<string, string | undefined>>): PipelineSettings;
}

/** Defaults for a pipeline that its caller may overrule. */
export interface PipelineSettings {
  /** Work of one node for one input, in milliseconds. */
  readonly nodeTimeoutMs?: number;
  /** Whether those who listen late get the progress told before. */
  readonly replaysSystem?: boolean;
}

/** How plugins of a format are fetched from GitHub. */
export interface GithubConventions {
  /** Base addresses of GitHub's services, where the host's environment names others. */
  bases(env: Readonly<Record<string, string | undefined>>): {
    readonly api: string;
    readonly raw: string;
    readonly codeload: string;
    readonly release: string;
  };
  /** Throws `MANIFEST_INVALID`, `NATIVE_PLUGIN_UNSUPPORTED` for a manifest that no plugin here can have. */
  checkManifest(bytes: Uint8Array, path: string): void;
}

/** A reader of one manifest dialect. */
export interface PluginFormat {
  readonly name: string;
  /** Exact file name that claims a directory, before anything is parsed. */
  readonly manifestFile: string;
  /** Reads a reference that is not a path, such as `owner/repo@tag`; undefined: not this format's. */
  parseReference?(text: string): RemoteSource | undefined;
  /** Pure. Throws `ManifestError` that names file, line where known, key and expectation. */
  read(files: ReadonlyTree): PluginSpec;
  /** Everything worth telling an author, for formats whose `read` leaves out what costs time. @default what `read` finds */
  check?(files: ReadonlyTree): readonly Finding[];
  readonly conversation: ResidentConversation | OneShotConversation;
  readonly archive: ArchiveRules;
  /** Set by a format whose plugins are published on GitHub. */
  readonly github?: GithubConventions;
  /** Set by a format whose manifests describe pipelines. */
  readonly pipelines?: PipelineReader;
}
