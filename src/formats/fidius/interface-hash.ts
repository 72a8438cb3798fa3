import { refusalsOf } from './interface-rules.ts';
import { parseInterfaceSource, selectInterface, type RustInterface, type RustMethod } from './interface-source.ts';
import { printTypeA } from './print-a.ts';
import { printTypeB } from './print-b.ts';
import { streamItem } from './rust-type.ts';

/** A canonical text and its hash. */
export interface CanonicalHash {
  /** Method signatures sorted by bytes and joined by newlines. */
  readonly canonical: string;
  /** `0x` and 16 lower-case digits. */
  readonly hash: string;
}

/** Both hashes of an interface. */
export interface InterfaceHash {
  readonly trait: string;
  /** What the interface macro bakes into hosts: required methods, printer A. */
  readonly a: CanonicalHash;
  /** What the original stub tool prints: all methods, printer B, no stream markers. */
  readonly b: CanonicalHash;
  /** Why the macro would not compile the trait; empty: it does. */
  readonly refusals: readonly string[];
}

/**
 * Hashes of the interface in a Rust file (F16, F17).
 *
 * @throws ManifestError `INTERFACE_SOURCE_INVALID` for broken Rust or a choice of traits that is none
 */
export async function interfaceHash(
  source: string,
  options: { readonly path?: string; readonly trait?: string | undefined } = {},
): Promise<InterfaceHash> {
  const parsed = await parseInterfaceSource(source, options.path ?? 'lib.rs');
  return hashInterface(selectInterface(parsed, options.trait));
}

/** Hashes of a parsed interface. */
export function hashInterface(trait: RustInterface): InterfaceHash {
  return {
    trait: trait.name,
    a: hashed(trait.methods.filter((method) => !method.isOptional).map(signatureA)),
    b: hashed(trait.methods.map(signatureB)),
    refusals: refusalsOf(trait),
  };
}

/** A method's signature as the macro writes it (spec 4.2). */
export function signatureA(method: RustMethod): string {
  const items = method.args.map(({ type }) => streamItem(type));
  const args = method.args.map(({ type }, index) => printTypeA((items[index] ?? type).text));
  const returned = streamItem(method.returns);
  const result = returned ?? method.returns;
  const markers = [
    method.isRaw ? '!raw' : '',
    returned === undefined ? '' : '!stream',
    items.every((item) => item === undefined) ? '' : '<stream',
  ];
  return `${method.name}:${args.join(',')}->${result === undefined ? '' : printTypeA(result.text)}${markers.join('')}`;
}

/** A method's signature as the stub tool writes it (spec 5.6). */
export function signatureB(method: RustMethod): string {
  const args = method.args.map(({ type }) => printTypeB(type.text));
  const result = method.returns === undefined ? '' : printTypeB(method.returns.text);
  return `${method.name}:${args.join(',')}->${result}${method.isRaw ? '!raw' : ''}`;
}

const FNV_BASIS = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a, 64 bits, over the UTF-8 bytes of a text. */
export function fnv1a64(text: string): bigint {
  let hash = FNV_BASIS;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return hash;
}

function hashed(signatures: readonly string[]): CanonicalHash {
  const sorted = signatures.map((text) => Buffer.from(text)).sort((left, right) => Buffer.compare(left, right));
  const canonical = sorted.map(String).join('\n');
  return { canonical, hash: `0x${fnv1a64(canonical).toString(16).padStart(16, '0')}` };
}
