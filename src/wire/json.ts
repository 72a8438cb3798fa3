/**
 * `JSON.parse`, except that integers beyond 2^53 become bigints.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  // One look for a long run of digits sends the rare text to the slow parser.
  if (text.length >= 16 && LONG_INTEGER.test(text)) return parseExactJson(text);
  return JSON.parse(text);
}

/**
 * `JSON.parse` for texts that hold integers beyond 2^53, which become bigints. Slow: only the rare text comes here.
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  const parser = new ExactParser(text);
  const value = parser.value(0);
  parser.expectEnd();
  return value;
}

// At least sixteen digits that no fraction or exponent belongs to.
const LONG_INTEGER = /(?:^|[[:,])-?\d{16,}(?![\d.eE])/;
// Deeper texts are refused before the stack is at risk.
const MAX_DEPTH = 1000;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const BLANK = /[ \t\n\r]*/y;

class ExactParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new SyntaxError(`JSON nests deeper than ${MAX_DEPTH} levels`);
    this.#skipBlank();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth + 1);
    if (first === '[') return this.#array(depth + 1);
    if (first === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  expectEnd(): void {
    this.#skipBlank();
    if (this.#at < this.#text.length) throw this.#unexpected();
  }

  #object(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#at++;
    if (this.#takes('}')) return result;
    do {
      this.#skipBlank();
      const key = this.#string();
      if (!this.#takes(':')) throw this.#unexpected();
      const value = this.value(depth);
      Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#unexpected();
    return result;
  }

  #array(depth: number): unknown[] {
    const result: unknown[] = [];
    this.#at++;
    if (this.#takes(']')) return result;
    do {
      result.push(this.value(depth));
    } while (this.#takes(','));
    if (!this.#takes(']')) throw this.#unexpected();
    return result;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#unexpected();
    let end = this.#text.indexOf('"', start + 1);
    while (end !== -1 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw this.#unexpected();
    this.#at = end + 1;
    return JSON.parse(this.#text.slice(start, end + 1)) as string;
  }

  #isEscaped(at: number, start: number): boolean {
    let backslashes = 0;
    while (at - backslashes - 1 > start && this.#text[at - backslashes - 1] === '\\') backslashes++;
    return backslashes % 2 === 1;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#unexpected();
    this.#at = NUMBER.lastIndex;
    const [word, fraction, exponent] = match;
    const number = Number(word);
    const isInteger = fraction === undefined && exponent === undefined;
    return isInteger && !Number.isSafeInteger(number) ? BigInt(word) : number;
  }

  #takes(character: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlank(): void {
    BLANK.lastIndex = this.#at;
    BLANK.test(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #unexpected(): SyntaxError {
    const found = this.#text[this.#at];
    return new SyntaxError(
      found === undefined ? 'Unexpected end of JSON' : `Unexpected '${found}' in JSON at position ${this.#at}`,
    );
  }
}

const WORDS: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
];
