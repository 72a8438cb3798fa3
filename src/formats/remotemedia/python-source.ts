/** What can be learnt from Python source without running it: declared requirements and imports. */
import { parse } from 'smol-toml';

/** R54: the literal strings of every `@python_requires([...])` in a module, in order. */
export function decoratorRequirements(source: string): readonly string[] {
  const found: string[] = [];
  for (const match of source.matchAll(/^[ \t]*@(?:[A-Za-z_][\w.]*\.)?python_requires\s*\(/gmu)) {
    const list = listAfter(source, match.index + match[0].length);
    if (list !== undefined) found.push(...stringLiterals(list));
  }
  return found;
}

/** R54: `dependencies` of the PEP 723 block of a module; anything unreadable counts as none (spec 6.1). */
export function inlineRequirements(source: string): readonly string[] {
  const lines = source.split(/\r?\n/u).map((line) => line.trim());
  const start = lines.indexOf('# /// script');
  const end = lines.indexOf('# ///', start + 1);
  if (start < 0 || end < 0) return [];
  const block = lines.slice(start + 1, end).map((line) => line.replace(/^# ?/u, ''));
  try {
    const dependencies = parse(block.join('\n'))['dependencies'];
    return Array.isArray(dependencies) ? dependencies.filter((line) => typeof line === 'string') : [];
  } catch {
    // The original ignores a block that it cannot read, and plugins exist that have one.
    return [];
  }
}

/** Whether a module imports a top-level package anywhere, also inside functions and guarded by `try`. */
export function importsPackage(source: string, name: string): boolean {
  const from = new RegExp(`^[ \\t]*from[ \\t]+${name}(?:\\.[\\w.]+)?[ \\t]+import\\b`, 'mu');
  const plain = new RegExp(
    `^[ \\t]*import[ \\t]+(?:[^#\\n]*,[ \\t]*)?${name}(?:\\.[\\w.]+)?[ \\t]*(?:,|as\\b|#|;|$)`,
    'mu',
  );
  return from.test(source) || plain.test(source);
}

/** The text between the brackets of the first argument when it is a list or tuple literal. */
function listAfter(source: string, start: number): string | undefined {
  const rest = source
    .slice(start)
    .trimStart()
    .replace(/^deps\s*=\s*/u, '');
  const close = rest[0] === '[' ? ']' : rest[0] === '(' ? ')' : undefined;
  if (close === undefined) return undefined;
  let quote: string | undefined;
  for (let at = 1; at < rest.length; at += 1) {
    const char = rest[at] ?? '';
    if (quote !== undefined) {
      if (char === '\\') at += 1;
      else if (char === quote) quote = undefined;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '#') at = lineEnd(rest, at);
    else if (char === close) return rest.slice(1, at);
  }
  return undefined;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** Plain string literals of a list, comments left out; computed entries cannot be known and are skipped. */
function stringLiterals(list: string): readonly string[] {
  const found: string[] = [];
  const token = /#[^\n]*|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/gu;
  for (const match of list.matchAll(token)) {
    const text = match[1] ?? match[2];
    if (text !== undefined) found.push(text.replaceAll(/\\(['"\\])/gu, '$1'));
  }
  return found;
}
