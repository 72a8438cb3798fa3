/** A piece of Rust source as the compiler's own printers see it: a token, or a bracketed group of them. */
export type RustToken =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'punctuation'; readonly text: string }
  | { readonly kind: 'group'; readonly open: string; readonly close: string; readonly tokens: readonly RustToken[] };

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

// Order matters: a lifetime is not the start of a character, a raw identifier is not an identifier and a hash.
const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<word>b?'(?:[^'\\]|\\.[^']*)'|b?"(?:[^"\\]|\\[\s\S])*"|'[\p{XID_Start}_][\p{XID_Continue}]*|r#[\p{XID_Start}_][\p{XID_Continue}]*|[\p{XID_Start}_][\p{XID_Continue}]*|\d[\p{XID_Continue}]*(?:\.\d[\p{XID_Continue}]*)?)|(?<punctuation>::|->|\S)/uy;

/** Splits the text of one type. Adjacent closing angle brackets stay separate, `::` and `->` are one token. */
export function rustTokens(text: string): readonly RustToken[] {
  const root: RustToken[] = [];
  const open: { close: string; open: string; tokens: RustToken[] }[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null && found[0] !== ''; found = TOKEN.exec(text)) {
    const { word, punctuation } = found.groups ?? {};
    const target = open.at(-1)?.tokens ?? root;
    if (word !== undefined) target.push({ kind: 'word', text: word });
    if (punctuation === undefined) continue;
    const close = CLOSING[punctuation];
    if (close !== undefined) {
      open.push({ open: punctuation, close, tokens: [] });
    } else if (punctuation === open.at(-1)?.close) {
      const group = open.pop();
      if (group !== undefined) (open.at(-1)?.tokens ?? root).push({ kind: 'group', ...group });
    } else {
      target.push({ kind: 'punctuation', text: punctuation });
    }
  }
  return root;
}
