const KEYWORDS: ReadonlySet<string> = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);

/** A Rust identifier as a Python one: `r#` goes, keywords get an underscore. */
export function pythonName(name: string): string {
  const bare = name.replace(/^r#/, '');
  return KEYWORDS.has(bare) ? `${bare}_` : bare;
}

/** The same for a list in which names must differ: repeats are numbered from 2. */
export function pythonNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const wanted = pythonName(name);
    const count = (seen.get(wanted) ?? 0) + 1;
    seen.set(wanted, count);
    return count === 1 ? wanted : `${wanted}${count}`;
  });
}

/** Whether a name can stand after `def` and after a dot. */
export function isPythonIdentifier(name: string): boolean {
  return /^[\p{XID_Start}_][\p{XID_Continue}]*$/u.test(name) && !KEYWORDS.has(name);
}
