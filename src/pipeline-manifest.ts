/**
 * A pipeline as a value: what a manifest says, checked, before anything is loaded.
 * Types only: formats read such manifests, the pipeline runs them, the host brings both together.
 */
import type { Finding, JsonObject, JsonValue } from './plugin-spec.ts';

/** One node of a pipeline. */
export interface ManifestNode {
  /** Unique, not empty, without a dot, not between double underscores: bus addresses are made of it. */
  readonly id: string;
  /** A node type of one of the plugins, or `<plugin>/<operation>`. */
  readonly nodeType: string;
  /** Handed to the node; `{}` where the manifest has none. */
  readonly params: JsonObject;
  /** Whether the outputs of this node reach the client although others consume them. */
  readonly isOutputNode: boolean;
  /** Whether this node has no deadline per turn. */
  readonly isFastPath: boolean;
  /** PEP 508 lines that the manifest adds for this node. */
  readonly pythonDeps: readonly string[];
}

/** An edge: every output of `from` becomes an input of `to`. Ports are labels and route nothing. */
export interface ManifestConnection {
  readonly from: string;
  readonly to: string;
  readonly fromPort?: string;
  readonly toPort?: string;
}

/** What a pipeline asks of Python as a whole. */
export interface ManifestPython {
  /** Wanted version, for example `3.11`. */
  readonly version?: string;
  /** PEP 508 lines added for every node. */
  readonly extraDeps: readonly string[];
  readonly scope?: string;
}

/** A pipeline manifest, parsed and checked. */
export interface PipelineManifest {
  readonly name: string;
  /** As written; anything but `v1` comes with a finding. */
  readonly version: string;
  readonly nodes: readonly ManifestNode[];
  readonly connections: readonly ManifestConnection[];
  /** Entries of `plugins` as written. */
  readonly plugins: readonly JsonValue[];
  readonly python: ManifestPython;
  /** Warnings. */
  readonly findings: readonly Finding[];
}
