/** Marks JSON text inside a value of the wire. The same constant is in `json_calls.py`. */
const JSON_KEY = '\u0000fidius.json';

/** JSON text as an argument list, a fed item or a configuration: Python parses it, so that 1 and 1.0 stay two things. */
export function markJson(text: string): { readonly [JSON_KEY]: string } {
  return { [JSON_KEY]: text };
}

/** The JSON text of a result, or undefined for a value that is none. */
export function markedJson(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !(JSON_KEY in value)) return undefined;
  const text = value[JSON_KEY];
  return typeof text === 'string' ? text : undefined;
}
