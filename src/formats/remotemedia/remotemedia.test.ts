import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ReadonlyTree } from '../format.ts';
import { githubBases, nodeTimeoutMs } from './environment.ts';
import { PYTHON_DIRECTORY, pythonFor, remotemedia } from './index.ts';
import { jsonErrorPosition, jsonPosition } from './json-positions.ts';
import { parsePipelineManifest } from './pipeline-manifest.ts';
import { parseGithubReference } from './plugin-specs.ts';
import { decoratorRequirements, importsPackage, inlineRequirements } from './python-source.ts';
import { distributionName, mergeRequirements } from './requirements.ts';

const TOML = `[plugin]
name = "p"
version = "0.1.0"
language = "python"

[python]
entry_module = "pkg.nodes"
node_types = ["A", "B"]
requires = ["toolz>=1"]
`;

/** A directory in memory. */
function tree(files: Readonly<Record<string, string>>): ReadonlyTree {
  const isDirectory = (path: string): boolean =>
    path === '.' || Object.keys(files).some((name) => name.startsWith(`${path}/`));
  return {
    directory: '/plugins/p',
    read: (path) => (files[path] === undefined ? undefined : new TextEncoder().encode(files[path])),
    kind: (path) => (files[path] !== undefined ? 'file' : isDirectory(path) ? 'directory' : 'absent'),
    list: (path) =>
      Object.keys(files)
        .filter((name) => (path === '' ? !name.includes('/') : name.startsWith(`${path}/`)))
        .map((name) => name.slice(path === '' ? 0 : path.length + 1))
        .sort(),
  };
}

const NODES = `
# /// script
# dependencies = ["iniconfig==1", "toolz==9"]
# ///
import numpy as np

@register_node("A")
@python_requires([
    "iniconfig==2",  # "not this"
    'pluggy; python_version < "3.12"',
])
class A: ...
`;

describe('remotemedia.read()', () => {
  const spec = remotemedia.read(tree({ 'plugin.toml': TOML, 'pkg/nodes.py': NODES }));

  it('remotemedia.read() makes node types the operations (R8)', () => {
    expect(spec.operations).toEqual([
      { name: 'A', kind: 'node', wireMode: 'typed' },
      { name: 'B', kind: 'node', wireMode: 'typed' },
    ]);
    expect(spec.opening).toEqual({
      ...{ entry_module: 'pkg.nodes', module_root: '/plugins/p', node_types: ['A', 'B'], directory: '/plugins/p' },
    });
  });

  it('remotemedia.read() puts our package first on the path, then the module root (R7)', () => {
    const rooted = TOML.replace('[python]', '[python]\nmodule_root = "src/"');
    expect(remotemedia.read(tree({ 'plugin.toml': rooted })).python.importFirst).toEqual([
      PYTHON_DIRECTORY,
      '/plugins/p/src',
    ]);
    expect(existsSync(join(PYTHON_DIRECTORY, 'remotemedia', '__init__.py'))).toBe(true);
  });

  it('remotemedia.read() merges what is required in three places, manifest first, and offers numpy (R54)', () => {
    expect(spec.python.requirements).toEqual([
      'iniconfig==2',
      'numpy>=1.21,<3',
      'pluggy; python_version < "3.12"',
      'toolz>=1',
    ]);
    expect(spec.python.mandatory).toEqual(['toolz>=1']);
    expect(spec.findings.map(({ message }) => message)).toEqual([
      "The code imports 'numpy' and no requirement lists it",
    ]);
  });

  it('pythonFor() adds what a pipeline asks for, and can be strict (R45, R54)', () => {
    const added = { pythonDeps: ['toolz==2'], extraDeps: ['numpy==2', 'toolz==3'], version: '3.12' };
    expect(pythonFor(spec, added)).toMatchObject({
      requirements: ['iniconfig==2', 'numpy==2', 'pluggy; python_version < "3.12"', 'toolz==3'],
      mandatory: ['numpy==2', 'toolz==3'],
      version: '3.12',
    });
    expect(pythonFor(spec, { isStrict: true }).requirements).toEqual(['numpy>=1.21,<3', 'toolz>=1']);
  });

  it('remotemedia.read() says where a manifest is wrong', () => {
    const broken = tree({ 'plugin.toml': TOML.replace('"python"', '"Python"') });
    expect(() => remotemedia.read(broken)).toThrow(
      expect.objectContaining({ path: '/plugins/p/plugin.toml', line: 4, column: 1, key: 'plugin.language' }),
    );
    expect(() => remotemedia.read(tree({}))).toThrow(expect.objectContaining({ code: 'MANIFEST_NOT_FOUND' }));
  });

  it('remotemedia.read() warns of a module that is not there and goes on', () => {
    const lonely = TOML.replace('pkg.nodes', 'nodes.py');
    expect(remotemedia.read(tree({ 'plugin.toml': lonely })).findings[0]).toMatchObject({
      key: 'python.entry_module',
      hint: 'Write the module name without .py',
    });
  });
});

describe('conversation.opening()', () => {
  const spec = remotemedia.read(tree({ 'plugin.toml': TOML }));
  const opening = (config: object): unknown =>
    remotemedia.conversation.kind === 'resident' && remotemedia.conversation.opening(spec, { config: config as never });

  it('conversation.opening() names the node to be opened', () => {
    expect(opening({ node_type: 'A', node_id: 'n', session_id: 's', params: { x: 1 } })).toMatchObject({
      node: { node_type: 'A', node_id: 'n', session_id: 's', params: { x: 1 } },
    });
    expect(opening({ node_type: 'A', params: null })).toMatchObject({ node: { node_id: 'A', params: {} } });
  });

  it('conversation.opening() refuses unknown types and params that are no object (R30)', () => {
    expect(() => opening({ node_type: 'C' })).toThrow(expect.objectContaining({ code: 'OPERATION_UNKNOWN' }));
    expect(() => opening({ node_type: 'A', params: [1] })).toThrow('params must be an object');
  });
});

describe('requirements', () => {
  it('mergeRequirements() lets later sources win per name and marker, and keeps contradictions of one source (R54)', () => {
    const sources = { inline: ['A==1', 'b; os_name == "nt"'], decorator: ['b==2'], requires: ['a==2', 'a==3'] };
    expect(mergeRequirements(sources)).toEqual(['a==2', 'a==3', 'b; os_name == "nt"', 'b==2']);
  });

  it('distributionName() does not care for case, dots and underscores (R49)', () => {
    expect(['Zope_Interface[x]>=1', 'zope.interface @ https://x', 'ZOPE-interface; a'].map(distributionName)).toEqual(
      Array(3).fill('zope-interface'),
    );
  });

  it('decoratorRequirements() reads literals only, inlineRequirements() ignores what it cannot read (R54)', () => {
    expect(decoratorRequirements('@x.python_requires(["a", name, f"b"])\n@python_requires(deps)')).toContain('a');
    expect(decoratorRequirements('text = "@python_requires([1])"')).toEqual([]);
    expect(inlineRequirements('# /// script\n# dependencies = [\n# ///')).toEqual([]);
    expect(inlineRequirements('# /// script\n# dependencies = ["a", 1]\n# ///')).toEqual(['a']);
  });

  it.each([
    ['import numpy', true],
    ['    import os, numpy as np', true],
    ['from numpy.linalg import norm', true],
    ['import numpy.fft', true],
    ['import numpydoc', false],
    ['# import numpy', false],
    ['x = "import numpy"', false],
    ['from mynumpy import numpy', false],
  ])('importsPackage() reads %j as %s', (source, found) => {
    expect(importsPackage(source, 'numpy')).toBe(found);
  });
});

describe('parsePipelineManifest()', () => {
  const manifest = (nodes: object[], more: object = {}): string =>
    JSON.stringify({ version: 'v1', metadata: {}, nodes, connections: [], ...more }, undefined, 1);

  it.each([
    ['a.b', "Node id 'a.b' must not contain a dot"],
    ['__system__', "Node id '__system__' is reserved"],
    ['', 'Node id must not be empty'],
  ])('parsePipelineManifest() refuses the id %j (R33)', (id, message) => {
    expect(() => parsePipelineManifest(manifest([{ id, node_type: 'T' }]))).toThrow(
      expect.objectContaining({ code: 'PIPELINE_INVALID', message: expect.stringContaining(message), line: 6 }),
    );
  });

  it.each([[[1]], [5], ['x'], [true]])('parsePipelineManifest() refuses the params %j (R30)', (params) => {
    expect(() => parsePipelineManifest(manifest([{ id: 'a', node_type: 'T', params }]))).toThrow(
      "Node 'a': params must be an object",
    );
  });

  it('parsePipelineManifest() takes letters of any alphabet and blanks in ids (R33)', () => {
    const { nodes } = parsePipelineManifest(manifest([{ id: 'ä b', node_type: 'T', params: null }]));
    expect(nodes[0]).toMatchObject({ id: 'ä b', params: {} });
  });

  it('parsePipelineManifest() hints at params written as config (RW30)', () => {
    const { findings } = parsePipelineManifest(manifest([{ id: 'a', node_type: 'T', config: {} }]));
    expect(findings).toMatchObject([{ hint: "Write 'params' instead of 'config'", key: 'nodes[0].config' }]);
  });

  it('parsePipelineManifest() gives line and column of what is no JSON (RW10)', () => {
    expect(() => parsePipelineManifest('{\n "a": tru }')).toThrow(expect.objectContaining({ line: 2, column: 7 }));
  });

  it('jsonPosition() finds values, and the nearest one around what is missing', () => {
    const text = '{"a": [1, {"b": "x"}],\n "c\\n": 2}';
    expect(jsonPosition(text, ['a', 1, 'b'])).toEqual({ line: 1, column: 17 });
    expect(jsonPosition(text, ['c\n'])).toEqual({ line: 2, column: 9 });
    expect(jsonPosition(text, ['a', 1, 'nothing'])).toEqual({ line: 1, column: 11 });
    expect(jsonErrorPosition(text)).toBeUndefined();
    expect(jsonErrorPosition('[1,]')).toEqual({ line: 1, column: 4 });
  });
});

describe('references and variables', () => {
  it.each([
    ['owner/repo@v1', { kind: 'github', owner: 'owner', repository: 'repo', tag: 'v1' }],
    ['name@v1', { kind: 'github', owner: 'RemoteMedia-SDK', repository: 'name', tag: 'v1' }],
    ['plainname', undefined],
    ['./path', undefined],
    ['a/b/c', undefined],
    ['lib.so', undefined],
  ])('parseGithubReference() reads %j (R13, R14)', (text, source) => {
    expect(parseGithubReference(text)).toEqual(source);
  });

  it('githubBases() takes the four variables, and nodeTimeoutMs() the deadline (R44)', () => {
    expect(githubBases({ REMOTEMEDIA_GITHUB_API_BASE: 'http://x/' })).toEqual({
      ...{ api: 'http://x', raw: 'https://raw.githubusercontent.com', codeload: 'https://codeload.github.com' },
      release: 'https://github.com',
    });
    expect(nodeTimeoutMs({ REMOTEMEDIA_NODE_TIMEOUT_MS: '500' })).toBe(500);
    expect(nodeTimeoutMs({ REMOTEMEDIA_NODE_TIMEOUT_MS: 'soon' })).toBeUndefined();
  });
});
