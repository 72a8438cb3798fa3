import { rustTokens, type RustToken } from './rust-tokens.ts';

/** Prints a type as the original stub tool does, outside the compiler: one space between all tokens (F17, spec 4.4). */
export function printTypeB(text: string): string {
  return join(rustTokens(text));
}

function join(tokens: readonly RustToken[]): string {
  return tokens.map(one).join(' ');
}

function one(token: RustToken): string {
  if (token.kind !== 'group') return token.text;
  const inside = join(token.tokens);
  return token.open === '{' && inside !== '' ? `{ ${inside} }` : `${token.open}${inside}${token.close}`;
}
