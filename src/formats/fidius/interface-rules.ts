import { rustTokens } from './rust-tokens.ts';
import { unquote } from './rust-attributes.ts';
import { isByteVector, resultParts, type RustType } from './rust-type.ts';
import type { RustInterface, RustMethod } from './interface-source.ts';

const MOST_OPTIONALS = 64;

/** Why the interface macro refuses a trait, in its words; empty for a trait that compiles (spec 4.2). */
export function refusalsOf(trait: RustInterface): string[] {
  return [
    ...markerRefusals(trait),
    ...trait.methods.flatMap(methodRefusals),
    ...trait.methods.flatMap((method) => metadataRefusals(method.attributes)),
    ...metadataRefusals(trait.attributes),
    ...nameRefusals(trait),
    ...optionalRefusals(trait),
  ];
}

function markerRefusals({ marker }: RustInterface): string[] {
  return ['version', 'buffer']
    .filter((key) => !new RegExp(`(?:^|,)\\s*${key}\\s*=`).test(marker.arguments ?? ''))
    .map((key) => `missing \`${key}\` attribute`);
}

function methodRefusals(method: RustMethod): string[] {
  const found: string[] = [];
  if (method.hasMutableReceiver) {
    found.push('fidius plugins are stateless: methods must take `&self`, not `&mut self`');
  }
  if (!method.isRaw) return found;
  const [argument] = method.args;
  if (method.isAsync) found.push('#[wire(raw)] is not supported on async methods in this release');
  if (argument === undefined || method.args.length !== 1) {
    found.push('#[wire(raw)] methods must take exactly one argument of type `Vec<u8>` (excluding `&self`)');
  } else if (!isByteVector(argument.type)) {
    found.push('#[wire(raw)] argument must be `Vec<u8>`');
  }
  if (!returnsBytes(method.returns)) found.push('#[wire(raw)] methods must return `Vec<u8>` or `Result<Vec<u8>, E>`');
  return found;
}

function returnsBytes(type: RustType | undefined): boolean {
  return type !== undefined && isByteVector(resultParts(type)?.value ?? type);
}

/** The macro makes a constant of each name. */
function nameRefusals({ methods }: RustInterface): string[] {
  const constants = methods.map(({ name }) => `METHOD_${name.toUpperCase()}`);
  return constants.flatMap((constant, index) => {
    if (constant.includes('#')) return [`\`"${constant}"\` is not a valid identifier`];
    return constants.indexOf(constant) === index ? [] : [`the name \`${constant}\` is defined multiple times`];
  });
}

function optionalRefusals({ methods }: RustInterface): string[] {
  const count = methods.filter((method) => method.isOptional).length;
  return count > MOST_OPTIONALS ? [`${count} optional methods, at most ${MOST_OPTIONALS} are possible`] : [];
}

function metadataRefusals(attributes: RustInterface['attributes']): string[] {
  const seen = new Set<string>();
  return attributes
    .filter(({ name }) => name === 'method_meta' || name === 'trait_meta')
    .flatMap((attribute) => {
      const first = rustTokens(attribute.arguments ?? '')[0];
      const key = first?.kind === 'word' ? unquote(first.text) : '';
      const isRepeated = seen.has(key);
      seen.add(key);
      if (key.startsWith('fidius.')) {
        return [`the \`fidius.*\` key namespace is reserved for framework use; got \`${key}\``];
      }
      if (key === '' || key !== key.trim()) return [`metadata key \`${key}\` is empty or padded`];
      return isRepeated ? [`metadata key \`${key}\` is given twice`] : [];
    });
}
