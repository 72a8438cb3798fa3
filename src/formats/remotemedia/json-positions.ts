/** Where things stand in a JSON text: `JSON.parse` knows neither lines of its errors on every Node nor those of its values. */

/** Line and column, both from 1. */
export interface JsonPosition {
  readonly line: number;
  readonly column: number;
}

/** A value's steps from the root, for example `['nodes', 0, 'id']`. */
export type JsonPath = readonly (string | number)[];

/** The position of the value at a path, else of the nearest value around it; undefined when the text is no JSON. */
export function jsonPosition(text: string, path: JsonPath): JsonPosition | undefined {
  const scan = new JsonScan(text, path);
  return scan.run() ? positionAt(text, scan.found) : undefined;
}

/** The position of the first character that no JSON text could have there; undefined when the text is JSON. */
export function jsonErrorPosition(text: string): JsonPosition | undefined {
  const scan = new JsonScan(text, []);
  return scan.run() ? undefined : positionAt(text, scan.offset);
}

/** No manifest is nested deeper than this; the walk is recursive. */
const MAX_DEPTH = 500;

/** One walk over one text. `found` is the offset of the deepest value on the way to the wanted path. */
class JsonScan {
  offset = 0;
  found = 0;
  readonly #text: string;
  readonly #path: JsonPath;

  constructor(text: string, path: JsonPath) {
    this.#text = text;
    this.#path = path;
  }

  /** False when the text is no JSON; `offset` is then where it stopped. */
  run(): boolean {
    return this.#value(0, true) && this.#atEnd();
  }

  #value(depth: number, isOnPath: boolean): boolean {
    if (depth > MAX_DEPTH) return false;
    this.#skipSpace();
    if (isOnPath) this.found = this.offset;
    const char = this.#text[this.offset];
    if (char === '{') return this.#items('}', depth, isOnPath);
    if (char === '[') return this.#items(']', depth, isOnPath);
    return this.#token(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy) || this.#token(SCALAR);
  }

  #items(close: string, depth: number, isOnPath: boolean): boolean {
    this.offset += 1;
    for (let index = 0; ; index += 1) {
      this.#skipSpace();
      if (index === 0 && this.#text[this.offset] === close) break;
      const key = close === '}' ? this.#key() : index;
      if (key === undefined) return false;
      if (!this.#value(depth + 1, isOnPath && depth < this.#path.length && this.#path[depth] === key)) return false;
      this.#skipSpace();
      if (this.#text[this.offset] === close) break;
      if (this.#text[this.offset] !== ',') return false;
      this.offset += 1;
    }
    this.offset += 1;
    return true;
  }

  #key(): string | undefined {
    const start = this.offset;
    if (this.#text[start] !== '"' || !this.#value(0, false)) return undefined;
    const key: unknown = JSON.parse(this.#text.slice(start, this.offset));
    this.#skipSpace();
    if (this.#text[this.offset] !== ':' || typeof key !== 'string') return undefined;
    this.offset += 1;
    return key;
  }

  #token(pattern: RegExp): boolean {
    pattern.lastIndex = this.offset;
    const match = pattern.exec(this.#text);
    if (match === null) return false;
    this.offset += match[0].length;
    return true;
  }

  #skipSpace(): void {
    while (' \t\r\n'.includes(this.#text[this.offset] ?? 'x')) this.offset += 1;
  }

  #atEnd(): boolean {
    this.#skipSpace();
    return this.offset === this.#text.length;
  }
}

const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;

function positionAt(text: string, offset: number): JsonPosition {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
