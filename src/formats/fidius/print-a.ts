import { rustTokens, type RustToken } from './rust-tokens.ts';

/** Right margin of the compiler's pretty printer, in columns. */
const MARGIN = 78;

/** Keywords that may stand before a parenthesis in a type; `fn`, `Self` and `pub` are printed like names. */
const SPACED_KEYWORDS: ReadonlySet<string> = new Set(
  'as async await box break const continue crate dyn else enum extern false for if impl in let loop match mod move mut ref return self static struct super trait true type unsafe use where while'.split(
    ' ',
  ),
);

/**
 * Prints a type as the interface macro sees it inside the compiler, line wrapping included (F16, spec 4.3).
 * Every argument, return type and stream item is printed on its own.
 */
export function printTypeA(text: string): string {
  return layOut(flatten(rustTokens(text), 0));
}

/** An element of the layout. `level` counts the boxes around it. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break'; readonly level: number }
  | { readonly kind: 'open'; readonly level: number }
  | { readonly kind: 'close' };

function flatten(tokens: readonly RustToken[], level: number): Piece[] {
  return tokens.flatMap((token, index) => {
    const previous = tokens[index - 1];
    const space: Piece[] = previous !== undefined && isSpaced(previous, token) ? [{ kind: 'break', level }] : [];
    return [...space, ...piecesOf(token, level)];
  });
}

function piecesOf(token: RustToken, level: number): Piece[] {
  if (token.kind !== 'group') return [{ kind: 'text', text: token.text }];
  const isPadded = token.open === '{' && token.tokens.length > 0;
  const padding: Piece[] = isPadded ? [{ kind: 'break', level: level + 1 }] : [];
  return [
    { kind: 'text', text: token.open },
    { kind: 'open', level: level + 1 },
    ...padding,
    ...flatten(token.tokens, level + 1),
    ...padding,
    { kind: 'close' },
    { kind: 'text', text: token.close },
  ];
}

function isSpaced(previous: RustToken, token: RustToken): boolean {
  if (token.kind === 'punctuation' && [',', ';', '.'].includes(token.text)) return previous.kind === 'punctuation';
  if (token.kind === 'group' && token.open === '(') return previous.kind !== 'word' || !isName(previous.text);
  return true;
}

function isName(word: string): boolean {
  return /^(?:r#)?[\p{XID_Start}_]/u.test(word) && !SPACED_KEYWORDS.has(word);
}

/** Oppen's algorithm: a box that fits stays on its line, breaks of a box that does not are newlines where they must. */
function layOut(pieces: readonly Piece[]): string {
  const output: string[] = [];
  const fits: boolean[] = [];
  let space = MARGIN;
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'text') {
      output.push(piece.text);
      space -= widthOf(piece.text);
    } else if (piece.kind === 'open') {
      fits.push(sizeOf(pieces, index, piece.level - 1) <= space);
    } else if (piece.kind === 'close') {
      fits.pop();
    } else if ((fits.at(-1) ?? false) || 1 + sizeOf(pieces, index, piece.level) <= space) {
      output.push(' ');
      space -= 1;
    } else {
      output.push('\n');
      space = MARGIN;
    }
  }
  return output.join('');
}

/** Width of what follows a piece up to the next break at a level or outside it, or to the end. */
function sizeOf(pieces: readonly Piece[], start: number, level: number): number {
  let size = 0;
  for (let index = start + 1; index < pieces.length; index += 1) {
    const piece = pieces[index];
    if (piece?.kind === 'break') {
      if (piece.level <= level) break;
      size += 1;
    } else if (piece?.kind === 'text') {
      size += widthOf(piece.text);
    }
  }
  return size;
}

/** The compiler counts bytes. */
function widthOf(text: string): number {
  return Buffer.byteLength(text);
}
