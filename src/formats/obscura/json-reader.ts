/**
 * A JSON reader that says where and at which token a text stops being JSON, and that can keep what `JSON.parse` loses.
 * It takes exactly what `JSON.parse` takes, unless an option allows more.
 */

/** What may be read beyond `JSON.parse`. */
export interface JsonReading {
  /** `NaN`, `Infinity` and `-Infinity`, as Python's encoder writes them: refused, or null. @default 'refuse' */
  readonly nonFinite?: 'refuse' | 'null';
  /** Integers beyond 2^53: rounded to a number, or kept as a bigint. @default 'number' */
  readonly bigIntegers?: 'number' | 'bigint';
}

/** Where a text stops being JSON. */
export class JsonFault extends SyntaxError {
  override name = 'JsonFault';
  /** In UTF-16 units from the start of the text. */
  readonly offset: number;
  /** What stands there: a word, a number, one character, or nothing at the end of the text. */
  readonly token: string;
  readonly expected: string;

  constructor(text: string, offset: number, expected: string) {
    const token = tokenAt(text, offset);
    const found = token === '' ? 'the end of the text' : `'${token}'`;
    super(`Found ${found} at offset ${offset}, expected ${expected}`);
    this.offset = offset;
    this.token = token;
    this.expected = expected;
  }
}

/**
 * Reads the one value of a text.
 *
 * @throws JsonFault
 */
export function readJson(text: string, reading: JsonReading = {}): unknown {
  return new Reader(text, reading).document();
}

type Frame =
  | { readonly kind: 'list'; readonly value: unknown[] }
  | { readonly kind: 'object'; readonly value: Record<string, unknown>; key: string };

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Its stack is its own, so that depth costs no more than it does `JSON.parse`. */
class Reader {
  readonly #text: string;
  readonly #reading: JsonReading;
  readonly #open: Frame[] = [];
  #at = 0;

  constructor(text: string, reading: JsonReading) {
    this.#text = text;
    this.#reading = reading;
  }

  document(): unknown {
    for (;;) {
      const opened = this.#openContainer();
      if (opened) continue;
      const closed = this.#place(this.#scalarOrEmpty());
      if (closed.isWhole) {
        this.#skipSpace();
        if (this.#at < this.#text.length) throw this.#fault(this.#at, 'the end of the text');
        return closed.value;
      }
    }
  }

  /** Opens lists and objects until a value that is complete in itself comes. */
  #openContainer(): boolean {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === '[' && this.#next(1) !== ']') {
      this.#at += 1;
      this.#open.push({ kind: 'list', value: [] });
      return true;
    }
    if (character === '{' && this.#next(1) !== '}') {
      this.#at += 1;
      this.#open.push({ kind: 'object', value: {}, key: this.#key() });
      return true;
    }
    return false;
  }

  #scalarOrEmpty(): unknown {
    const character = this.#text[this.#at];
    if (character === '[' || character === '{') {
      this.#at = this.#text.indexOf(character === '[' ? ']' : '}', this.#at) + 1;
      return character === '[' ? [] : {};
    }
    if (character === '"') return this.#string('a string');
    const start = this.#at;
    if (character === '-' && this.#text.startsWith('-Infinity', start)) return this.#nonFinite('-Infinity', start);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#number(number);
    const word = this.#match(WORD);
    if (word !== undefined && LITERALS.has(word)) return LITERALS.get(word);
    if (word === 'NaN' || word === 'Infinity') return this.#nonFinite(word, start);
    throw this.#fault(start, 'a JSON value');
  }

  /** Puts a value where it belongs, and closes what ends after it. */
  #place(first: unknown): { readonly isWhole: boolean; readonly value: unknown } {
    let value = first;
    for (;;) {
      const frame = this.#open.at(-1);
      if (frame === undefined) return { isWhole: true, value };
      if (frame.kind === 'list') frame.value.push(value);
      else
        Object.defineProperty(frame.value, frame.key, { value, enumerable: true, configurable: true, writable: true });
      this.#skipSpace();
      const character = this.#text[this.#at];
      const end = frame.kind === 'list' ? ']' : '}';
      if (character !== ',' && character !== end) throw this.#fault(this.#at, `',' or '${end}'`);
      this.#at += 1;
      if (character === ',') {
        if (frame.kind === 'object') frame.key = this.#key();
        return { isWhole: false, value: undefined };
      }
      this.#open.pop();
      value = frame.value;
    }
  }

  #key(): string {
    this.#skipSpace();
    const key = this.#string('a string in double quotes as a key');
    this.#skipSpace();
    if (this.#text[this.#at] !== ':') throw this.#fault(this.#at, "':'");
    this.#at += 1;
    return key;
  }

  /** Run by run and escape by escape: one pattern for the whole of a long string would exhaust the matcher's stack. */
  #string(expected: string): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#fault(start, expected);
    this.#at += 1;
    for (;;) {
      this.#match(PLAIN_CHARACTERS);
      if (this.#text[this.#at] === '"') break;
      if (this.#match(ESCAPE) === undefined) throw this.#fault(this.#at, 'the rest of a string');
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #number(text: string): unknown {
    const value = Number(text);
    const isBig = this.#reading.bigIntegers === 'bigint' && /^-?[0-9]+$/.test(text) && !Number.isSafeInteger(value);
    return isBig ? BigInt(text) : value;
  }

  #nonFinite(word: string, start: number): null {
    if (this.#reading.nonFinite !== 'null') throw this.#fault(start, 'a JSON value');
    this.#at = start + word.length;
    return null;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** The first character that is no white space, from `ahead` characters on. */
  #next(ahead: number): string | undefined {
    let at = this.#at + ahead;
    while (isSpace(this.#text[at])) at += 1;
    return this.#text[at];
  }

  #skipSpace(): void {
    while (isSpace(this.#text[this.#at])) this.#at += 1;
  }

  #fault(offset: number, expected: string): JsonFault {
    return new JsonFault(this.#text, offset, expected);
  }
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

function tokenAt(text: string, offset: number): string {
  const rest = text.slice(offset, offset + 40);
  return /^(?:-?[A-Za-z_][A-Za-z0-9_]*|-?[0-9][0-9.eE+-]*)/.exec(rest)?.[0] ?? /^./su.exec(rest)?.[0] ?? '';
}
