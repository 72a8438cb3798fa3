import { NumberLiteral, type Literal } from './literal-json.ts';

/** Reads the debug text of the original's value tree: `Record([("k", U64(1))])` and so on. */
export function parseNeutral(text: string): Literal {
  const reader = new Reader(text);
  return reader.value();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Literal {
    const name = this.#take(/[A-Za-z0-9]+/y);
    if (name === 'Unit') return null;
    this.#take(/\(/y);
    const value = this.#content(name);
    this.#take(/\)/y);
    return value;
  }

  #content(name: string): Literal {
    switch (name) {
      case 'Bool':
        return this.#take(/true|false/y) === 'true';
      case 'U64':
      case 'S64':
      case 'F64':
        return new NumberLiteral(this.#take(/[^)]+/y));
      case 'String':
        return unescapeRust(this.#take(/"(?:[^"\\]|\\.)*"/y));
      case 'List':
        return this.#items(() => this.value());
      case 'Record':
        return Object.fromEntries(this.#items(() => this.#pair()));
      default:
        throw new TypeError(`Value tree has '${name}', which no Python result produces`);
    }
  }

  #pair(): [string, Literal] {
    this.#take(/\(/y);
    const key = unescapeRust(this.#take(/"(?:[^"\\]|\\.)*"/y));
    this.#take(/, /y);
    const value = this.value();
    this.#take(/\)/y);
    return [key, value];
  }

  #items<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    this.#take(/\[/y);
    while (this.#text[this.#at] !== ']') {
      items.push(read());
      if (this.#text.startsWith(', ', this.#at)) this.#at += 2;
    }
    this.#at += 1;
    return items;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw new TypeError(`Value tree '${this.#text}' breaks off at ${this.#at}`);
    this.#at += found[0].length;
    return found[0];
  }
}

/** The text of a Rust string literal as `{:?}` prints it. */
export function unescapeRust(literal: string): string {
  return literal
    .slice(1, -1)
    .replace(/\\(?:u\{([0-9a-f]+)\}|(.))/g, (_, point: string | undefined, letter: string | undefined) => {
      if (point !== undefined) return String.fromCodePoint(parseInt(point, 16));
      return { n: '\n', r: '\r', t: '\t', '0': '\0' }[letter ?? ''] ?? letter ?? '';
    });
}

/** Whether two literals are the same value: numbers by kind (integer or float) and value, records in any order. */
export function sameLiteral(left: Literal, right: Literal): boolean {
  if (left instanceof NumberLiteral && right instanceof NumberLiteral) return sameNumber(left.text, right.text);
  if (Array.isArray(left) && Array.isArray(right)) {
    const others = right as readonly Literal[];
    return (
      left.length === right.length && left.every((item: Literal, index) => sameLiteral(item, others[index] ?? null))
    );
  }
  if (isRecord(left) && isRecord(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && sameLiteral(left[key] ?? null, right[key] ?? null))
    );
  }
  return left === right;
}

function isRecord(value: Literal): value is { readonly [key: string]: Literal } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral);
}

function sameNumber(left: string, right: string): boolean {
  const isInteger = /^-?\d+$/;
  if (isInteger.test(left) !== isInteger.test(right)) return false;
  return isInteger.test(left) ? BigInt(left) === BigInt(right) : Object.is(Number(left), Number(right));
}
