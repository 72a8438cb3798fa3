/** A number as the file spells it: whether it is an integer or a float is part of the record. */
export class NumberLiteral {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON whose numbers keep their spelling. */
export type Literal =
  null | boolean | string | NumberLiteral | readonly Literal[] | { readonly [key: string]: Literal };

const MARK = '\u0001';

/** Parses JSON, numbers kept as spelled. */
export function parseLiterals(text: string): Literal {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `{${JSON.stringify(MARK)}:"${token}"}`,
  );
  return JSON.parse(marked, (_, value: unknown) => {
    const number = typeof value === 'object' && value !== null && MARK in value ? value[MARK] : undefined;
    return typeof number === 'string' ? new NumberLiteral(number) : value;
  }) as Literal;
}

/** The JSON text of a literal, numbers as they were spelled. */
export function literalText(value: Literal): string {
  if (value instanceof NumberLiteral) return value.text;
  if (Array.isArray(value)) return `[${(value as readonly Literal[]).map(literalText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${literalText(item)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The value with ordinary numbers, for fields where spelling does not matter. */
export function ordinary(value: Literal): unknown {
  if (value instanceof NumberLiteral) return Number(value.text);
  if (Array.isArray(value)) return (value as readonly Literal[]).map(ordinary);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ordinary(item)]));
}
