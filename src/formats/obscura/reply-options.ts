import { CallError } from '../../errors.ts';
import { nearestName } from '../../nearest-name.ts';
import { isRecord } from './record.ts';

/** How replies are read and envelopes written where the original leaves no choice: the `config` given at load. */
export interface ReplyOptions {
  /** First key of the envelope: later versions of the original write another (spec, versions E3). @default 'obscura_version' */
  readonly envelopeKey?: 'obscura_version' | 'prismedia_version';
  /** `NaN` and `Infinity` in a reply: an error, or null (spec W36). @default 'refuse' */
  readonly nonFinite?: 'refuse' | 'null';
  /** Integers beyond 2^53: rounded, or kept as bigint (spec W36). @default 'number' */
  readonly bigIntegers?: 'number' | 'bigint';
  /** Whether output around the reply is forgiven when the last line alone is a reply (spec W37). @default false */
  readonly lastLineAlone?: boolean;
  /** What `{"ok": false}` without an error text means: its result, or an error (spec W11). @default 'value' */
  readonly notOk?: 'value' | 'error';
}

const CHOICES: Readonly<Record<keyof ReplyOptions, readonly unknown[]>> = {
  envelopeKey: ['obscura_version', 'prismedia_version'],
  nonFinite: ['refuse', 'null'],
  bigIntegers: ['number', 'bigint'],
  lastLineAlone: [false, true],
  notOk: ['value', 'error'],
};

/**
 * Checks the configuration of a plugin.
 *
 * @throws CallError `ARGUMENT_INVALID` for an unknown name or value
 */
export function parseReplyOptions(config: unknown): ReplyOptions {
  if (config === undefined || config === null) return {};
  if (!isRecord(config)) throw new CallError('ARGUMENT_INVALID', 'The configuration must be an object');
  const known = Object.keys(CHOICES);
  for (const [name, value] of Object.entries(config)) {
    const choices = Object.hasOwn(CHOICES, name) ? CHOICES[name as keyof ReplyOptions] : undefined;
    if (choices === undefined) {
      const nearest = nearestName(name, known) ?? known.join("', '");
      throw new CallError('ARGUMENT_INVALID', `Unknown configuration '${name}'; known is '${nearest}'`, { key: name });
    }
    if (value !== undefined && !choices.includes(value)) {
      const all = choices.map((choice) => `'${String(choice)}'`).join(' or ');
      throw new CallError('ARGUMENT_INVALID', `Configuration '${name}' must be ${all}`, { key: name });
    }
  }
  return config;
}
