/** A place in a TOML text. Lines and columns from 1, columns in characters. */
export interface TomlPosition {
  readonly line: number;
  readonly column: number;
  /** Length in characters of what is there, cut at the end of the line. */
  readonly width: number;
}

/** Something that TOML 1.1 allows and 1.0, the dialect of the format, does not. */
export interface NewerForm extends TomlPosition {
  readonly reason: string;
}

/** Where the keys of a TOML text are. */
export interface TomlPositions {
  /** Position of the value by dotted path; of the header for a table; array items as `key[0]`. */
  readonly values: ReadonlyMap<string, TomlPosition>;
  readonly newerForms: readonly NewerForm[];
  /** Bytes from the start to the end of the last entry before any header, cut at the end of the first line. */
  readonly rootEntryBytes: number;
}

/**
 * Finds keys, values and TOML 1.1 forms in a text that a TOML 1.1 parser has accepted.
 *
 * The parser gives values without places, and reads a newer dialect than the original tools do.
 */
export function tomlPositions(text: string): TomlPositions {
  return new Scanner(text).scan();
}

class Scanner {
  readonly #text: string;
  readonly #values = new Map<string, TomlPosition>();
  readonly #newerForms: NewerForm[] = [];
  #at = 0;
  #table = '';
  #hasHeader = false;
  /** Where the last entry before any header ends. */
  #rootEnd = 0;

  constructor(text: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  scan(): TomlPositions {
    while (this.#at < this.#text.length) {
      this.#skip(/[\s]*(#[^\n]*)?/y);
      if (this.#at >= this.#text.length) break;
      if (this.#peek() === '[') this.#header();
      else if (!this.#isBlank()) this.#entry(this.#table);
      if (!this.#hasHeader) this.#rootEnd = this.#at;
    }
    const [rootEntries = ''] = this.#text.slice(0, this.#rootEnd).split(/\r?\n/, 1);
    return {
      values: this.#values,
      newerForms: this.#newerForms,
      rootEntryBytes: Buffer.byteLength(rootEntries),
    };
  }

  #header(): void {
    const start = this.#at;
    this.#hasHeader = true;
    const isArray = this.#text.startsWith('[[', start);
    this.#at += isArray ? 2 : 1;
    this.#table = this.#keyPath();
    this.#skip(/[^\]\n]*\]{1,2}/y);
    this.#record(this.#table, start, this.#at);
  }

  #entry(table: string): void {
    const before = this.#at;
    const key = this.#keyPath();
    const path = table === '' ? key : `${table}.${key}`;
    this.#skip(/[ \t]*=[ \t]*/y);
    this.#value(path);
    if (this.#at === before) this.#at += 1;
  }

  #keyPath(): string {
    const parts: string[] = [];
    for (;;) {
      this.#skip(/[ \t]*/y);
      const word = this.#match(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+/y) ?? '';
      parts.push(/^["']/.test(word) ? word.slice(1, -1) : word);
      if (this.#match(/[ \t]*\.(?=[ \t]*["'\w-])/y) === undefined) return parts.join('.');
    }
  }

  #value(path: string): void {
    const start = this.#at;
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string();
    else if (first === '[') this.#array(path);
    else if (first === '{') this.#inlineTable(path);
    else this.#bare();
    this.#record(path, start, this.#at);
  }

  #string(): void {
    const start = this.#at;
    const text =
      this.#match(/"""(?:[^\\"]|\\[\s\S]|"{1,2}(?!"))*"""("{0,2})|'''(?:[^']|'{1,2}(?!'))*'''('{0,2})/y) ??
      this.#match(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y) ??
      '';
    if (text.startsWith("'")) return;
    const escape = /(?:^|[^\\])(?:\\\\)*\\([ex])/.exec(text);
    if (escape !== null) {
      const at = start + escape.index + escape[0].length - 1;
      this.#newer('invalid escape sequence\nexpected `b`, `f`, `n`, `r`, `t`, `u`, `U`, `\\`, `"`', at);
    }
  }

  #array(path: string): void {
    this.#at += 1;
    for (let index = 0; ; index += 1) {
      this.#skip(/(?:\s|#[^\n]*|,)*/y);
      if (this.#peek() === ']' || this.#at >= this.#text.length) break;
      this.#value(`${path}[${index}]`);
    }
    this.#at += 1;
  }

  #inlineTable(path: string): void {
    this.#at += 1;
    let hasTrailingComma = false;
    for (;;) {
      this.#skip(/[ \t]*/y);
      const gap = this.#at;
      if (this.#match(/(?:[ \t]*(?:#[^\n]*)?\r?\n)+[ \t]*/y) !== undefined) {
        this.#newer('invalid inline table\nexpected `}`', gap);
      }
      if (this.#peek() === '}' || this.#at >= this.#text.length) break;
      hasTrailingComma = this.#match(/,/y) !== undefined;
      if (!hasTrailingComma) this.#entry(path);
    }
    if (hasTrailingComma) this.#newer('invalid inline table\nexpected a key', this.#at);
    this.#at += 1;
  }

  #bare(): void {
    const start = this.#at;
    const word = this.#match(/[^\s,#\]}]+(?: \d\d:[^\s,#\]}]+)?/y) ?? '';
    const time = /(?:^|[Tt ])\d\d:\d\d(?!:|\d)/.exec(word);
    // A zone offset such as +01:00 has no seconds in any version.
    if (time !== null) this.#newer('invalid time\nexpected seconds', start + time.index + time[0].length);
  }

  #newer(reason: string, offset: number): void {
    this.#newerForms.push({ ...this.#position(offset, offset + 1), reason });
  }

  #record(path: string, start: number, end: number): void {
    if (!this.#values.has(path)) this.#values.set(path, this.#position(start, end));
  }

  #position(start: number, end: number): TomlPosition {
    const before = this.#text.slice(0, start).split('\n');
    const column = Array.from(before.at(-1) ?? '').length + 1;
    const inLine = this.#text.slice(start, end).split('\n', 1)[0] ?? '';
    return { line: before.length, column, width: Math.max(1, Array.from(inLine).length) };
  }

  #isBlank(): boolean {
    return /\s|#/.test(this.#peek());
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #skip(pattern: RegExp): void {
    this.#match(pattern);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found[0];
  }
}
