import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { clientTypes } from './client-types.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const SOURCE = `
use std::collections::HashMap;
/// A place.
#[derive(Serialize, Deserialize)]
pub struct Point { pub y: i32, pub x: f64, pub note: Option<String>, #[serde(rename = "kind-of")] kind: Colour }
pub struct Wrapper(pub i64);
pub struct Pair(pub i64, pub String);
pub enum Colour { Red, Green }
pub enum Shape { Dot, Circle(f64), Line(i32, i32), Rect { w: u32, h: u32 } }
#[serde(tag = "kind")]
pub enum Tagged { A { v: i32 }, B }
#[serde(untagged)]
pub enum Untagged { N(i64), S(String) }
pub struct Tree { pub children: Vec<Tree>, pub by_name: HashMap<String, Shape> }
type Id = u64;

/// Every shape of method.
#[plugin_interface(version = 1, buffer = PluginAllocated)]
pub trait Everything: Send + Sync {
    /// Says hello.
    fn greet(&self, name: String, class: bool) -> Result<String, PluginError>;
    fn ping(&self);
    fn find(&self, at: &Point, id: Id) -> Option<Tree>;
    fn draw(&self, shapes: Vec<Shape>, tags: (Tagged, Untagged)) -> HashMap<String, Vec<Pair>>;
    fn ticks(&self, count: u32) -> fidius::Stream<u64>;
    fn total(&self, rows: Stream<Wrapper>, scale: f32) -> f64;
    fn map(&self, rows: Stream<Point>) -> Stream<Colour>;
    #[wire(raw)]
    fn reverse(&self, data: Vec<u8>) -> Vec<u8>;
    #[optional(since = 2)]
    fn wave(&self, unknown: Elsewhere) -> [u8; 4];
    fn with(&self) -> u8;
}
`;

/** Uses every method; each comment expects a type error on the line below it. */
const USE = `
import type { Plugin } from 'charmer';
import { everythingClient, everythingInterface, type Point, type Shape } from './everything.ts';
export async function use(plugin: Plugin): Promise<void> {
  const client = everythingClient(plugin);
  const hash: string = everythingInterface.hash;
  const text: string = await client.greet(hash, true);
  const point: Point = { y: 1, x: 2.5, 'kind-of': 'Red' };
  const found = await client.with({ timeoutMs: 5 }).find(point, 2n);
  const shape: Shape | undefined = found?.by_name['a'];
  await client.draw(['Dot', { Circle: 1 }, { Line: [1, 2] }, { Rect: { w: 1, h: 2 } }], [{ kind: 'A', v: 1 }, 5]);
  for await (const n of client.ticks(3)) n satisfies number | bigint;
  async function* rows(): AsyncGenerator<Point> { yield point; }
  for await (const colour of client.map(rows())) colour satisfies 'Red' | 'Green';
  const bytes: Uint8Array = await client.reverse(new Uint8Array([1]));
  // @ts-expect-error a name is a string
  await client.greet(5, true);
  // @ts-expect-error a shape has one of four forms
  await client.draw([{ Square: 1 }], [{ kind: 'B' }, 'x']);
  // @ts-expect-error there is no such method
  await client.absent();
  void [text, shape, bytes];
}
`;

describe('clientTypes()', () => {
  const directory = mkdtempSync(join(tmpdir(), 'charmer-client-types-'));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('clientTypes() writes a module that compiles with tsc --strict and refuses wrong calls', async () => {
    const { text } = await clientTypes(SOURCE);
    writeFileSync(join(directory, 'everything.ts'), text);
    writeFileSync(join(directory, 'use.ts'), USE);
    const options = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        target: 'ES2022',
        lib: ['ES2023', 'ESNext.Disposable'],
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        allowImportingTsExtensions: true,
        skipLibCheck: true,
        isolatedDeclarations: true,
        declaration: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        types: [],
        typeRoots: [],
        paths: { charmer: [join(ROOT, 'dist/index.d.ts')] },
      },
      files: ['use.ts'],
    };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(options));
    const output = compile(directory);
    expect(output).toBe('');
  });

  it('clientTypes() describes methods with their kinds, types and both hashes', async () => {
    const { descriptor } = await clientTypes(SOURCE, { trait: 'Everything' });
    expect(descriptor.methods.map(({ name, kind }) => `${name} ${kind ?? ''}`)).toEqual([
      'greet unary',
      'ping unary',
      'find unary',
      'draw unary',
      'ticks server-stream',
      'total client-stream',
      'map bidi',
      'reverse unary',
      'wave unary',
      'with unary',
    ]);
    expect(descriptor.hash).toMatch(/^0x[0-9a-f]{16}$/);
    expect(descriptor.hashB).not.toBe(descriptor.hash);
    expect(descriptor.types?.['Point']).toEqual({
      struct: { y: 'i32', x: 'f64', note: { option: 'string' }, 'kind-of': { named: 'Colour' } },
      optional: ['note'],
    });
  });
});

function compile(directory: string): string {
  try {
    return execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', directory], {
      encoding: 'utf8',
    });
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}
