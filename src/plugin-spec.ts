/**
 * The neutral description of a plugin and of a process to start: the values that travel down the road.
 * Types only. Every format produces a `PluginSpec`; nothing downstream knows which format it was.
 */

/** Any value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** How an operation takes and gives: one value or a stream on either side, or the turns of a node. */
export type OperationKind = 'unary' | 'server-stream' | 'client-stream' | 'bidi' | 'node';
/** Whether values are JSON-like (`typed`) or one run of bytes each way (`raw`). */
export type WireMode = 'typed' | 'raw';

/** Something that a plugin can be asked to do: a method, an action or a node, whichever word its system uses. */
export interface Operation {
  readonly name: string;
  readonly kind: OperationKind;
  readonly wireMode: WireMode;
  /** False for an operation that the interface names and the plugin lacks. @default true */
  readonly isAvailable?: boolean;
  /** The author's words about it, where there are any. */
  readonly description?: string;
  /** Argument names in order, where they are known. */
  readonly parameters?: readonly string[];
}

/** Something worth telling about a manifest that does not stop the plugin from running. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** One line, as in an error message. */
  readonly message: string;
  /** Manifest or source file, relative to the plugin's directory. */
  readonly file: string;
  /** From 1, where the parser gives one. */
  readonly line?: number;
  readonly column?: number;
  /** Dotted manifest key. */
  readonly key?: string;
  readonly hint?: string;
}

/** A secret that a plugin asks for. */
export interface SecretField {
  readonly key: string;
  readonly label: string;
  readonly isRequired: boolean;
  /** Where a person gets the value. */
  readonly url?: string;
}

/** What a plugin needs from Python. */
export interface PythonNeeds {
  /** PEP 508 lines to be installed for this plugin alone; empty: no environment, no installer. */
  readonly requirements: readonly string[];
  /**
   * Those of `requirements` without which the plugin is not started: where the others cannot be installed, it runs without
   * them. Absent: all of them.
   */
  readonly mandatory?: readonly string[];
  /** Lines that the plugin's system does not install: installed only when the operator asks for it. */
  readonly optionalRequirements?: readonly string[];
  /** Wanted version, for example `3.11`; absent: the host's. */
  readonly version?: string;
  /** Absolute directories put before everything else on `sys.path`, in order. */
  readonly importFirst: readonly string[];
  /** Absolute directories put at the end of `sys.path`, in order. */
  readonly importLast: readonly string[];
  /** Whether the base interpreter's own site-packages are visible. */
  readonly seesBaseSitePackages: boolean;
  /**
   * A directory whose sub-directories the plugin may import beside its own code. They reach the import path through a
   * generated directory of links that leaves out names of standard modules.
   */
  readonly siblings?: SiblingModules;
}

/** Neighbours that a plugin may import. */
export interface SiblingModules {
  /** Absolute path of the directory that holds the neighbours. */
  readonly root: string;
  /** Names that the manifest asks for; directories with hyphens expose what is inside them. */
  readonly requires: readonly string[];
}

/** What a fresh process per call runs. */
export interface OneShotCommand {
  /** Words of the command; the first is looked up on PATH unless it holds a slash. No shell. */
  readonly words: readonly string[];
  /** Directory that the process starts in. */
  readonly cwd: string;
}

/** The neutral description that every format's `read` produces. Pure data. */
export interface PluginSpec {
  /** Name of the format that read it. */
  readonly format: string;
  /** Absolute path of the plugin's directory. */
  readonly directory: string;
  /** What the plugin calls itself: the name that references and policies use. */
  readonly id: string;
  /** For people. */
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  readonly author?: string;
  readonly license?: string;
  readonly homepage?: string;
  /** Operations as far as the manifest tells them; absent where only the code can. */
  readonly operations?: readonly Operation[];
  readonly python: PythonNeeds;
  /** Set for formats that start a fresh process per call. */
  readonly command?: OneShotCommand;
  readonly secrets: readonly SecretField[];
  /** What the format's Python half is opened with, beside the caller's configuration. */
  readonly opening: JsonObject;
  /** The manifest as the format understood it, for people and `--json`. */
  readonly manifest: JsonObject;
  readonly findings: readonly Finding[];
}

/** How a format's directories become one file and back. */
export interface ArchiveRules {
  /** File extension without its dot, for example `fid`. */
  readonly extension: string;
  readonly container: 'tar.bz2' | 'tar.gz' | 'zip';
  /** Directory names left out at any depth. */
  readonly excludedDirectories: readonly string[];
  /** Name of the signature file at the root, kept out of the digest. */
  readonly signatureFile: string;
}

/** Limits of one process, enforced by the kernel before plugin code runs. */
export interface ProcessLimits {
  /** Address space in MiB. */
  readonly memoryMb?: number;
  readonly cpuSeconds?: number;
  /** Open descriptors. */
  readonly files?: number;
  /** Processes of the user. */
  readonly processes?: number;
}

/** Where the runner finds packages beside the standard library; `directory` is the root of an environment. */
export type SitePackages =
  | { readonly kind: 'none' }
  | { readonly kind: 'base' }
  | { readonly kind: 'environment'; readonly directory: string; readonly seesBase: boolean };

/** Everything needed to start one process, as a value. */
export interface LaunchPlan {
  /** Absolute path of the interpreter itself, never of a version manager's shim. */
  readonly interpreter: string;
  /** Version of the interpreter, for example `3.11.7`. */
  readonly pythonVersion: string;
  /** Words of the command, the program included. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process: nothing is added to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether descriptors 3 to 6 carry the wire. */
  readonly hasWire: boolean;
  /** `null`: descriptor 0 is the null device; `pipe`: the host writes it. */
  readonly stdin: 'null' | 'pipe';
  readonly limits: ProcessLimits;
  /** `exec` starts the command; `fork` lets a running interpreter go on as the child. */
  readonly launcher: 'exec' | 'fork';
  /** Told to the runner, which sets up `sys.path` before any plugin code. */
  readonly importPath: { readonly first: readonly string[]; readonly last: readonly string[] };
  readonly sitePackages: SitePackages;
}
