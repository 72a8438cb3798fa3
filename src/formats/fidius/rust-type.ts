/** The shape of a Rust type, as far as interfaces need it. `text` is the source of the whole type. */
export type RustType =
  | {
      readonly kind: 'path';
      readonly text: string;
      /** Last segment, without its arguments: `Stream` of `fidius_core::Stream<u64>`. */
      readonly name: string;
      /** Whether there is only one segment. */
      readonly isBare: boolean;
      /** Type arguments of the last segment; lifetimes are left out. */
      readonly args: readonly RustType[];
    }
  | { readonly kind: 'reference'; readonly text: string; readonly inner: RustType }
  | { readonly kind: 'slice'; readonly text: string; readonly item: RustType }
  | { readonly kind: 'array'; readonly text: string; readonly item: RustType; readonly length: string }
  | { readonly kind: 'tuple'; readonly text: string; readonly items: readonly RustType[] }
  | { readonly kind: 'parenthesised'; readonly text: string; readonly inner: RustType }
  | { readonly kind: 'other'; readonly text: string };

/** The item type of `Stream<T>` under any path; undefined for every other type (spec 4.2). */
export function streamItem(type: RustType | undefined): RustType | undefined {
  return type?.kind === 'path' && type.name === 'Stream' && type.args.length === 1 ? type.args[0] : undefined;
}

/** Whether a type is `Vec<u8>` under any path, its element spelled exactly so. */
export function isByteVector(type: RustType): boolean {
  return type.kind === 'path' && type.name === 'Vec' && type.args.length === 1 && isExactly(type.args[0], 'u8');
}

/** Whether a type is a name alone: `u8`, not `std::primitive::u8`. */
export function isExactly(type: RustType | undefined, name: string): boolean {
  return type?.kind === 'path' && type.isBare && type.name === name && type.args.length === 0;
}

/** The value and error types of `Result<T, E>` under any path. */
export function resultParts(type: RustType): { value: RustType; error: RustType } | undefined {
  if (type.kind !== 'path' || type.name !== 'Result' || type.args.length !== 2) return undefined;
  const [value, error] = type.args;
  return value && error && { value, error };
}
