import { describe, expect, it } from 'vitest';

import type { ManifestNode } from '../pipeline-manifest.ts';
import { buildGraph, unknownNodeType } from './graph.ts';

const node = (id: string, isOutputNode = false): ManifestNode => ({
  id,
  nodeType: 'T',
  params: {},
  isOutputNode,
  isFastPath: false,
  pythonDeps: [],
});
const graph = (ids: string, edges: string): ReturnType<typeof buildGraph> =>
  buildGraph({
    nodes: Array.from(ids, (id) => node(id)),
    connections: edges === '' ? [] : edges.split(' ').map((edge) => ({ from: edge[0] ?? '', to: edge[1] ?? '' })),
  });

describe('buildGraph()', () => {
  it('buildGraph() orders nodes after those that feed them, however they are listed (R38)', () => {
    expect(graph('cba', 'bc ab').order).toEqual(['a', 'b', 'c']);
  });

  it('buildGraph() finds sources and sinks (R37, R38)', () => {
    const found = graph('abcd', 'ac bc cd');
    expect(found.sources).toEqual(['a', 'b']);
    expect([...found.outputs]).toEqual(['d']);
  });

  it('buildGraph() keeps a connection that is listed twice (R35)', () => {
    const found = graph('ab', 'ab ab');
    expect(found.successors.get('a')).toEqual(['b', 'b']);
    expect(found.feeds.get('b')).toBe(2);
  });

  it('buildGraph() counts a marked node among the outputs (R46)', () => {
    const found = buildGraph({ nodes: [node('a', true), node('b')], connections: [{ from: 'a', to: 'b' }] });
    expect([...found.outputs]).toEqual(['a', 'b']);
  });

  it('buildGraph() refuses a cycle and names it (R31)', () => {
    expect(() => graph('abc', 'ab bc ca')).toThrow("Pipeline contains a cycle - cannot execute: 'a' → 'b' → 'c' → 'a'");
    expect(() => graph('a', 'aa')).toThrow("Pipeline contains a cycle - cannot execute: 'a' → 'a'");
    expect(() => graph('sabt', 'sa ab ba bt')).toThrow("'a' → 'b' → 'a'");
  });

  it('unknownNodeType() suggests the nearest type (R31)', () => {
    expect(unknownNodeType({ ...node('a'), nodeType: 'Tagg' }, ['Upper', 'Tag'])).toMatchObject({
      code: 'NODE_UNKNOWN',
      message: "Unknown node type 'Tagg' for node 'a'",
      hint: "Did you mean 'Tag'?",
    });
  });
});
