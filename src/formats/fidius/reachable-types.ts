import type { DeclaredBody, DeclaredType } from './declared-types.ts';
import type { InterfaceSource, RustInterface } from './interface-source.ts';
import type { RustType } from './rust-type.ts';

/** The own types that the methods of an interface reach, in the order of the file. */
export function reachableTypes(source: InterfaceSource, trait: RustInterface): DeclaredType[] {
  const declared = new Map(source.types.map((type) => [type.name, type]));
  const found = new Set<DeclaredType>();
  const visit = (type: RustType): void => {
    for (const name of namesIn(type)) {
      const own = declared.get(name);
      if (own === undefined || found.has(own)) continue;
      found.add(own);
      typesOf(own).forEach(visit);
    }
  };
  for (const method of trait.methods) {
    for (const argument of method.args) visit(argument.type);
    if (method.returns !== undefined) visit(method.returns);
  }
  return source.types.filter((type) => found.has(type));
}

/** Every path name in a type. */
export function namesIn(type: RustType): string[] {
  switch (type.kind) {
    case 'path':
      return [type.name, ...type.args.flatMap(namesIn)];
    case 'reference':
    case 'parenthesised':
      return namesIn(type.inner);
    case 'slice':
    case 'array':
      return namesIn(type.item);
    case 'tuple':
      return type.items.flatMap(namesIn);
    case 'other':
      return [];
  }
}

/** The types inside a declaration. */
export function typesOf(declared: DeclaredType): readonly RustType[] {
  if (declared.kind === 'alias') return [declared.type];
  if (declared.kind === 'struct') return bodyTypes(declared.body);
  return declared.variants.flatMap((variant) => bodyTypes(variant.body));
}

function bodyTypes(body: DeclaredBody): readonly RustType[] {
  if (body.kind === 'unit') return [];
  return body.kind === 'tuple' ? body.items : body.fields.map((field) => field.type);
}
