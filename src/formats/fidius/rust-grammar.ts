import { fileURLToPath } from 'node:url';
import { Language, Parser, type Node, type Tree } from 'web-tree-sitter';
import { ManifestError } from '../../errors.ts';

/** A node of a Rust syntax tree. */
export type RustNode = Node;

/** Where the grammar lies; it stays in `src/` when we are compiled. */
const GRAMMAR = fileURLToPath(new URL('../../../src/formats/fidius/grammar/tree-sitter-rust.wasm', import.meta.url));

/**
 * Parses a Rust file and gives its syntax tree to `use`, which must copy out what it wants.
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID` with line and column for broken Rust
 */
export async function withRustTree<Result>(
  source: string,
  path: string,
  use: (root: RustNode) => Result,
): Promise<Result> {
  const language = await rustLanguage();
  const parser = new Parser();
  let tree: Tree | null = null;
  try {
    parser.setLanguage(language);
    tree = parser.parse(source);
    if (tree === null) throw broken(path, undefined);
    if (tree.rootNode.hasError) throw broken(path, firstError(tree.rootNode));
    return use(tree.rootNode);
  } finally {
    tree?.delete();
    parser.delete();
  }
}

/**
 * The grammar, compiled at first use and then a constant: all grammars share one WebAssembly memory, and two loads at
 * the same time corrupt it.
 */
const rustLanguage = once(async () => {
  await Parser.init();
  return Language.load(GRAMMAR);
});

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

/** Children with a name in the grammar, nulls left out. */
export function namedChildren(node: RustNode): RustNode[] {
  return node.namedChildren.filter((child) => child !== null);
}

function firstError(node: RustNode): RustNode {
  const child = node.children.find((each) => each !== null && (each.hasError || each.isMissing));
  return child ? firstError(child) : node;
}

function broken(path: string, node: RustNode | undefined): ManifestError {
  const line = node === undefined ? undefined : node.startPosition.row + 1;
  const column = node === undefined ? undefined : node.startPosition.column + 1;
  const where = line === undefined ? '' : ` at line ${line}, column ${column ?? 1}`;
  return new ManifestError('INTERFACE_SOURCE_INVALID', `Interface source '${path}' is no valid Rust${where}`, {
    path,
    line,
    column,
    details: { text: `failed to parse ${path}: cannot parse string into token stream` },
  });
}
