/** Messages for the ports of a node, and texts that are such messages (spec 5.8). */
import type { RuntimeData } from '../runtime-data.ts';

const PORT_KEY = '__aux_port__';

/** Port on which replies of remote calls leave a node; they never are data (R91). */
export const REPLY_PORT = '__reply__';
/** Port that a node answers with its published methods. */
export const META_PORT = '__rpc_meta__';
/** End of the port that cancels a stream of `<method>`. */
export const CANCEL_SUFFIX = '.__cancel__';

/** A message for one port. */
export interface Envelope {
  readonly port: string;
  readonly payload: unknown;
}

/** The envelope that a text is, or undefined for ordinary data. */
export function envelopeOf(data: RuntimeData): Envelope | undefined {
  if (data.type !== 'text' || !data.data.includes(PORT_KEY) || !/^\s*\{/u.test(data.data)) return undefined;
  const blob = parseLoose(data.data);
  if (typeof blob !== 'object' || blob === null) return undefined;
  const port: unknown = Reflect.get(blob, PORT_KEY);
  if (typeof port !== 'string' || port === '') return undefined;
  return { port, payload: Reflect.get(blob, 'payload') };
}

/** JSON, or JSON as Python writes it, where NaN and Infinity stand as bare words (RW22); undefined: neither. */
function parseLoose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Below.
  }
  try {
    const quoted = text.replace(WORDS, (word) => (word.startsWith('"') ? word : JSON.stringify(BARE + word)));
    return JSON.parse(quoted, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(BARE) ? Number(value.slice(BARE.length)) : value,
    );
  } catch {
    return undefined;
  }
}

const WORDS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gu;
/** No text that a JSON parser lets through begins so by accident: the character must be escaped there. */
const BARE = '\u0000bare number ';

/** What a value looks like as the payload of an envelope. */
export function payloadOf(data: RuntimeData): unknown {
  if (data.type === 'json') return data.value;
  if (data.type === 'text') return { text: data.data };
  if (data.type === 'binary') return { binary_b64: Buffer.from(data.data).toString('base64') };
  return { _unsupported_for_envelope: data.type };
}
