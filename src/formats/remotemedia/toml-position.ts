/** Where a key of a TOML text stands, found without a second parser. */

/** Line and column, both from 1. */
export interface TomlPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * The position of `table.key`, else of the table's header, else undefined. A search by lines: good enough to point a person
 * at a place in a manifest that has parsed.
 */
export function tomlPosition(text: string, table: string, key?: string): TomlPosition | undefined {
  let current = '';
  let header: TomlPosition | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const opened = /^\s*\[\s*([^\]]*?)\s*\]/u.exec(line)?.[1];
    if (opened !== undefined) {
      current = opened;
      if (current === table) header = { line: index + 1, column: line.indexOf('[') + 1 };
      continue;
    }
    const name = /^\s*["']?([A-Za-z0-9_-]+)["']?\s*=/u.exec(line)?.[1];
    if (name !== undefined && current === table && name === key) {
      return { line: index + 1, column: line.search(/\S/u) + 1 };
    }
  }
  return header;
}
