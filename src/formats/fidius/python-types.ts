import type { DeclaredType } from './declared-types.ts';
import type { InterfaceSource, RustInterface } from './interface-source.ts';
import { richHint, type NameLookup } from './python-hints.ts';
import { isPythonIdentifier } from './python-names.ts';
import { namesIn, reachableTypes, typesOf } from './reachable-types.ts';

/** Python definitions of the own types that an interface uses. */
export interface PythonTypes {
  readonly lookup: NameLookup;
  /** Lines of code: classes first, because aliases are evaluated at import. */
  readonly lines: readonly string[];
  /** Names of `typing` that the lines need. */
  readonly imports: ReadonlySet<string>;
}

/** Defines every struct, enum and alias of the file that the interface reaches. */
export function pythonTypes(source: InterfaceSource, trait: RustInterface): PythonTypes {
  const declared = new Map(source.types.map((type) => [type.name, type]));
  const used = reachableTypes(source, trait);
  const lookup: NameLookup = (name) => (declared.has(name) ? name : undefined);
  const isClass = (type: DeclaredType): boolean => type.kind === 'struct' && type.body.kind === 'fields';
  const classes = used.filter(isClass).flatMap((type) => classLines(type, lookup));
  const aliases = aliasLines(
    used.filter((type) => !isClass(type)),
    lookup,
  );
  const lines = [...classes, ...aliases];
  const text = lines.join('\n');
  const imports = ['Any', 'Iterator', 'Literal', 'Optional', 'TypedDict', 'Union'].filter((name) =>
    new RegExp(`\\b${name}\\b`).test(text),
  );
  return { lookup, lines, imports: new Set(imports) };
}

function classLines(declared: DeclaredType, lookup: NameLookup): string[] {
  if (declared.kind !== 'struct' || declared.body.kind !== 'fields') return [];
  const { fields } = declared.body;
  const docs = declared.docs.map((line) => `# ${line}`.trimEnd());
  const hints = fields.map((field) => ({ name: field.name, hint: richHint(field.type, lookup).annotation }));
  if (hints.every(({ name }) => isPythonIdentifier(name))) {
    const body = hints.length === 0 ? ['    pass'] : hints.map(({ name, hint }) => `    ${name}: ${hint}`);
    return [...docs, `class ${declared.name}(TypedDict):`, ...body, ''];
  }
  const items = hints.map(({ name, hint }) => `    ${JSON.stringify(name)}: ${JSON.stringify(hint)},`);
  return [...docs, `${declared.name} = TypedDict(${JSON.stringify(declared.name)}, {`, ...items, '})', ''];
}

/** Aliases in an order in which each finds what it names; what goes round in a circle is named by text. */
function aliasLines(aliases: readonly DeclaredType[], lookup: NameLookup): string[] {
  const done = new Set<string>();
  const pending = new Set(aliases.map((alias) => alias.name));
  const ready: NameLookup = (name) => (pending.has(name) && !done.has(name) ? `'${name}'` : lookup(name));
  const ordered: DeclaredType[] = [];
  const place = (alias: DeclaredType, above: ReadonlySet<string>): void => {
    if (ordered.includes(alias) || above.has(alias.name)) return;
    const inner = new Set([...above, alias.name]);
    for (const name of typesOf(alias).flatMap(namesIn)) {
      const next = aliases.find((other) => other.name === name);
      if (next !== undefined) place(next, inner);
    }
    ordered.push(alias);
  };
  aliases.forEach((alias) => {
    place(alias, new Set());
  });
  return ordered.flatMap((alias) => {
    const line = `${alias.name} = ${aliasHint(alias, ready)}`;
    done.add(alias.name);
    return [...alias.docs.map((text) => `# ${text}`.trimEnd()), line, ''];
  });
}

function aliasHint(alias: DeclaredType, lookup: NameLookup): string {
  if (alias.kind === 'alias') return richHint(alias.type, lookup).annotation;
  if (alias.kind === 'enum') return enumHint(alias);
  if (alias.body.kind !== 'tuple') return 'None';
  const [only] = alias.body.items;
  if (only !== undefined && alias.body.items.length === 1) return richHint(only, lookup).annotation;
  return `tuple[${alias.body.items.map((item) => richHint(item, lookup).annotation).join(', ')}]`;
}

/** A unit variant is its name, any other one a dict with one key; tagged and untagged enums are what serde says. */
function enumHint(alias: DeclaredType & { kind: 'enum' }): string {
  if (alias.tagging.kind === 'untagged') return 'Any';
  if (alias.tagging.kind !== 'external') return 'dict[str, Any]';
  const units = alias.variants.filter((variant) => variant.body.kind === 'unit').map(({ name }) => `'${name}'`);
  const literal = units.length === 0 ? undefined : `Literal[${units.join(', ')}]`;
  if (units.length === alias.variants.length) return literal ?? 'Any';
  return literal === undefined ? 'dict[str, Any]' : `Union[${literal}, dict[str, Any]]`;
}
