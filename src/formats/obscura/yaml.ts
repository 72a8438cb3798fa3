/** The YAML dialect of the manifests and registry indexes, with the place of every key and value (spec §1.1). */
import { JSON_SCHEMA, load, Type, YAMLException, type State } from 'js-yaml';

import { ManifestError } from '../../errors.ts';

/** A place in a text, both from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Where the keys and values of a document are. */
export interface YamlPositions {
  /** The place of a key of a mapping, or of a member of a list, by its path from the root. */
  of(path: readonly (string | number)[]): TextPosition | undefined;
}

/** A document with its places. */
export interface YamlDocument {
  readonly value: unknown;
  readonly positions: YamlPositions;
}

/**
 * Reads the only document of a text: JSON schema of YAML 1.2, no merge keys, no timestamps, duplicate keys refused.
 *
 * @throws ManifestError `MANIFEST_INVALID` with `line` and `column` where the parser gives them, its reason in
 *   `details.reason` and the parser's own exception as `cause`
 */
export function parseYaml(text: string, file: string): YamlDocument {
  try {
    const value: unknown = load(text, { schema: MANIFEST_SCHEMA });
    let tree: NodeTree | undefined;
    return { value, positions: { of: (path) => (tree ??= noteNodes(text)).positionOf(path) } };
  } catch (error) {
    throw asManifestError(error, file);
  }
}

/** Places cost as much as parsing and are asked for only when something is wrong: then the text is read once more. */
function noteNodes(text: string): NodeTree {
  const tree = new NodeTree();
  load(text, { schema: MANIFEST_SCHEMA, listener: (event, state) => tree.note(event, state) });
  return tree;
}

/** Bytes as the original reads them: bad UTF-8 becomes U+FFFD, a byte-order mark stays for the parser to skip. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/**
 * Numbers with `_` between their digits. The parser that defines the dialect took them; its later versions do not.
 */
const UNDERSCORED_NUMBER = new Type('tag:charmer,2026:underscored-number', {
  kind: 'scalar',
  resolve: (text: unknown) => typeof text === 'string' && isUnderscoredNumber(text),
  construct: (text: string) => numberOf(text.replaceAll('_', '')),
});

const MANIFEST_SCHEMA = JSON_SCHEMA.extend({ implicit: [UNDERSCORED_NUMBER] });

function isUnderscoredNumber(text: string): boolean {
  if (!text.includes('_') || text.endsWith('_')) return false;
  return (
    /^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)$/.test(text) ||
    /^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?)$/.test(text)
  );
}

function numberOf(digits: string): number {
  const sign = digits.startsWith('-') ? -1 : 1;
  const unsigned = digits.replace(/^[-+]/, '');
  return sign * (/^0[box]/.test(unsigned) ? Number(unsigned) : Number.parseFloat(unsigned));
}

function asManifestError(error: unknown, file: string): ManifestError {
  if (error instanceof YAMLException) {
    // The declared type says that a mark is always there; it is not for faults of the whole stream.
    const mark = (error as { mark?: YAMLException['mark'] }).mark;
    const where = mark === undefined ? {} : { line: mark.line + 1, column: mark.column + 1 };
    return new ManifestError('MANIFEST_INVALID', `File '${file}' is no valid YAML: ${error.reason}`, {
      ...where,
      path: file,
      details: { reason: error.reason },
      cause: error,
    });
  }
  return new ManifestError('MANIFEST_INVALID', `File '${file}' cannot be read as YAML`, { path: file, cause: error });
}

interface YamlNode {
  readonly start: number;
  end: number;
  kind: string | null;
  result: unknown;
  readonly children: YamlNode[];
}

/** What the parser's listener saw: the nodes with their offsets, children in order. */
class NodeTree {
  readonly #open: YamlNode[] = [];
  #root: YamlNode | undefined;
  #input = '';

  note(event: 'open' | 'close', state: State): void {
    if (event === 'open') {
      this.#input = state.input;
      this.#open.push({ start: state.position, end: state.position, kind: null, result: undefined, children: [] });
      return;
    }
    const node = this.#open.pop();
    if (node === undefined) return;
    node.end = state.position;
    node.kind = state.kind;
    node.result = state.result;
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = node;
    else parent.children.push(node);
  }

  positionOf(path: readonly (string | number)[]): TextPosition | undefined {
    let place = this.#root;
    let container = this.#root;
    for (const step of path) {
      if (container === undefined) return undefined;
      const node = unwrapped(container);
      const found = typeof step === 'number' ? listMember(node, step) : this.#entry(node, step);
      place = found?.place;
      container = found?.container;
    }
    return place === undefined ? undefined : this.#textPosition(place.start);
  }

  /** A key is a scalar that a colon follows; the node after it is its value. The last one of a name wins. */
  #entry(mapping: YamlNode, key: string): { place: YamlNode; container: YamlNode | undefined } | undefined {
    let found: { place: YamlNode; container: YamlNode | undefined } | undefined;
    for (const [index, child] of mapping.children.entries()) {
      if (child.kind !== 'scalar' || String(child.result) !== key) continue;
      if (/^\s*:/.test(this.#input.slice(child.end, child.end + 200))) {
        found = { place: child, container: mapping.children[index + 1] };
      }
    }
    return found;
  }

  #textPosition(offset: number): TextPosition {
    const start =
      offset + (/^(?:[ \t]*(?:#[^\r\n]*)?(?:\r?\n|$))*[ \t]*/.exec(this.#input.slice(offset))?.[0].length ?? 0);
    const before = this.#input.slice(0, start).split(/\r\n|\r|\n/);
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
}

/** The parser tries flow collections as keys of a block mapping first: the collection is then a node within a node. */
function unwrapped(node: YamlNode): YamlNode {
  const [only, ...others] = node.children;
  const isWrapper =
    only !== undefined && others.length === 0 && only.result === node.result && typeof only.result === 'object';
  return isWrapper ? unwrapped(only) : node;
}

function listMember(list: YamlNode, index: number): { place: YamlNode; container: YamlNode } | undefined {
  const member = list.children[index];
  return member === undefined ? undefined : { place: member, container: member };
}
