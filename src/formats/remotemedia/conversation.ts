/** How the host talks to our Python half: what it is opened with, and its values. */
import { join } from 'node:path';

import { CallError } from '../../errors.ts';
import type { JsonObject, JsonValue, PluginSpec } from '../../plugin-spec.ts';
import type { ResidentConversation } from '../format.ts';
import { usesStrictConstructors } from './environment.ts';
import { PYTHON_DIRECTORY } from './read.ts';

/** One node to be opened in a process: the keys of the runner's command line (spec 5.1). */
export interface NodeConfiguration {
  readonly node_type: string;
  /** @default node_type */
  readonly node_id?: string;
  readonly session_id?: string;
  /** @default {} */
  readonly params?: JsonObject | null;
}

/** The conversation of the format. A process holds one node; one opened without a configuration only imports the plugin. */
export const conversation: ResidentConversation = {
  kind: 'resident',
  dialect: join(PYTHON_DIRECTORY, 'dialect.py'),
  preload: ['driver', 'construction'].map((name) => `${PYTHON_DIRECTORY}:remotemedia.core.multiprocessing.${name}`),
  opening: (spec, request) => {
    const node = parseNode(spec, request.config);
    return {
      ...spec.opening,
      ...(node === undefined ? {} : { node }),
      ...(request.strict === true || usesStrictConstructors(process.env) ? { strict_ctor: true } : {}),
    };
  },
};

function parseNode(spec: PluginSpec, config: JsonValue | undefined): JsonObject | undefined {
  if (config === undefined || config === null) return undefined;
  if (!isObject(config)) throw invalid(spec, 'The configuration of a node is no object');
  const { node_type: nodeType, node_id: nodeId = nodeType, session_id: sessionId, params } = config;
  const known = spec.operations?.map((operation) => operation.name) ?? [];
  if (typeof nodeType !== 'string' || !known.includes(nodeType)) {
    throw new CallError(
      'OPERATION_UNKNOWN',
      `Plugin '${spec.id}' has no node type '${text(nodeType)}', one of ${known.map((name) => `'${name}'`).join(', ')} is expected`,
      { plugin: spec.id, operation: text(nodeType) },
    );
  }
  if (typeof nodeId !== 'string' || nodeId === '') throw invalid(spec, "'node_id' is no text or empty");
  if (sessionId !== undefined && typeof sessionId !== 'string') throw invalid(spec, "'session_id' is no text");
  if (params !== undefined && params !== null && !isObject(params)) {
    throw invalid(spec, `Node '${nodeId}': params must be an object`);
  }
  return {
    node_type: nodeType,
    node_id: nodeId,
    params: params ?? {},
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
  };
}

function invalid(spec: PluginSpec, message: string): CallError {
  return new CallError('ARGUMENT_INVALID', message, { plugin: spec.id });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
}
