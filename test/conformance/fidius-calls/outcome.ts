import { CharmerError } from '../../../src/errors.ts';
import { CallError, LoadError } from '../../../src/doors/fidius.ts';
import type { RecordedError } from './recorded.ts';

/** What one of our calls came to. */
export type Outcome<Value> = { readonly ok: Value } | { readonly err: CharmerError };

/** Settles a call into an outcome; only our own errors are outcomes. */
export async function outcomeOf<Value>(call: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { ok: await call() };
  } catch (error) {
    if (error instanceof CharmerError) return { err: error };
    throw error;
  }
}

/** Places, addresses and what else differs from machine to machine, made alike. */
export type Normalise = (text: string) => string;

/** Why our error is not the recorded one; undefined: it is. Kind, text, and a plugin's three fields are equal. */
export function errorDifference(ours: CharmerError, theirs: RecordedError, normalise: Normalise): string | undefined {
  const kind = ours instanceof CallError || ours instanceof LoadError ? ours.kind : ours.code;
  if (kind !== theirs.kind) return `error ${kind} (${ours.message}), expected ${theirs.kind} (${theirs.text})`;
  if (theirs.kind === 'Plugin') return pluginDifference(ours, theirs, normalise);
  const text = normalise(ours.message);
  return text === normalise(theirs.text) ? undefined : `text '${text}', expected '${theirs.text}'`;
}

function pluginDifference(ours: CharmerError, theirs: RecordedError, normalise: Normalise): string | undefined {
  const failure = ours instanceof CallError ? ours.pluginFailure : undefined;
  const shown = { code: failure?.code, message: failure?.message, text: normalise(ours.message) };
  const wanted = { code: theirs.code, message: theirs.message, text: normalise(theirs.text) };
  if (JSON.stringify(shown) !== JSON.stringify(wanted))
    return `${JSON.stringify(shown)}, expected ${JSON.stringify(wanted)}`;
  const details = failure?.details ?? null;
  const recorded = theirs.details ?? null;
  if (details === null || recorded === null) {
    return details === recorded ? undefined : `details ${String(details)}, expected ${String(recorded)}`;
  }
  // Long details are cut in the record.
  const isCut = recorded.endsWith('...');
  const wantedText = normalise(isCut ? recorded.slice(0, -3) : recorded);
  const text = normalise(details);
  return (isCut ? text.startsWith(wantedText.slice(0, 60)) : text === wantedText)
    ? undefined
    : `details '${text}', expected '${wantedText}'`;
}
