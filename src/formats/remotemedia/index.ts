/** RemoteMedia Python source plugins: a folder with `plugin.toml` and modules with node classes. */
import type { ArchiveRules } from '../../plugin-spec.ts';
import type { GithubConventions, PipelineReader, PluginFormat } from '../format.ts';
import { conversation } from './conversation.ts';
import { githubBases, nodeTimeoutMs, replaysSystem } from './environment.ts';
import { MANIFEST_FILE, parsePluginToml } from './manifest.ts';
import { parsePipelineManifest } from './pipeline-manifest.ts';
import { parseGithubReference, parsePluginEntry } from './plugin-specs.ts';
import { pythonFor, readPlugin } from './read.ts';

export { conversation, type NodeConfiguration } from './conversation.ts';
export { parsePipelineManifest } from './pipeline-manifest.ts';
export { parsePluginEntry, type PluginEntry } from './plugin-specs.ts';
export { type AddedNeeds, PYTHON_DIRECTORY, pythonFor } from './read.ts';

/** How a plugin's directory becomes one file: what GitHub serves for a tag. */
const archive: ArchiveRules = {
  extension: 'tar.gz',
  container: 'tar.gz',
  excludedDirectories: ['.git', '.venv', '__pycache__', 'node_modules', '.pytest_cache', '.mypy_cache'],
  signatureFile: 'plugin.sig',
};

/** What the format knows of pipelines. */
const pipelines: PipelineReader = {
  parse: parsePipelineManifest,
  parseEntry: parsePluginEntry,
  pythonFor,
  nodeConfiguration: ({ nodeType, nodeId, sessionId, params }) => ({
    node_type: nodeType,
    node_id: nodeId,
    session_id: sessionId,
    params,
  }),
  settings: (env) => {
    const timeoutMs = nodeTimeoutMs(env);
    return { replaysSystem: replaysSystem(env), ...(timeoutMs === undefined ? {} : { nodeTimeoutMs: timeoutMs }) };
  },
};

const github: GithubConventions = {
  bases: githubBases,
  checkManifest: (bytes, path) => void parsePluginToml(bytes, path),
};

/** The format. Node types are its operations; a node lives in a process of its own. */
export const remotemedia: PluginFormat = {
  name: 'remotemedia',
  manifestFile: MANIFEST_FILE,
  parseReference: parseGithubReference,
  read: readPlugin,
  conversation,
  archive,
  github,
  pipelines,
};
