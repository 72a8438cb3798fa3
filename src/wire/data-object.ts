/** Deeper values are refused on both sides, so that no parser is ever driven into its own limits. */
export const MAX_DEPTH = 200;

/** Marks an object as a value that a format gives a meaning of its own: `$data` on the wire, `Data` in Python. */
export const DATA: unique symbol = Symbol.for('charmer.data');

/** An object with the mark: its members are fields, one of them `type`. NumPy arrays arrive as one. */
export interface DataObject {
  readonly [DATA]: true;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Stands among the arguments of a call where its client stream goes. */
export const STREAM_PLACE: unique symbol = Symbol('client stream');

/** Marks fields as a `DataObject`. Returns a new object. */
export function asData(fields: Readonly<Record<string, unknown>> & { readonly type: string }): DataObject {
  return { ...fields, [DATA]: true };
}

/** Whether a value carries the mark. */
export function isData(value: unknown): value is DataObject {
  return typeof value === 'object' && value !== null && DATA in value;
}
