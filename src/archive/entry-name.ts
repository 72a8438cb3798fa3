/** Judges the name of an archive entry: a pure function of its bytes. */

/** What a name means. */
export type NameVerdict =
  | { readonly ok: true; readonly components: readonly Buffer[]; readonly oddities: readonly NameOddity[] }
  | {
      readonly ok: false;
      readonly problem: 'path-traversal' | 'absolute-path' | 'name-unusable';
      readonly why: string;
    };

/** What is fine here and trouble elsewhere. */
export type NameOddity =
  'backslash' | 'drive' | 'reserved-name' | 'trailing-dot-or-blank' | 'not-utf8' | 'control-character';

/** Largest name of one file or directory, in bytes, on every system that matters. */
const MAX_COMPONENT_BYTES = 255;
/** Largest path of one entry, in bytes; systems end at 4096 with the destination included. */
const MAX_PATH_BYTES = 4000;

/** Names that Windows keeps for devices, with or without an extension. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;

/**
 * Splits a name at its slashes and judges the parts in order. Empty parts and `.` vanish; an empty list of components
 * means that the entry names no file. package spec §2.5 step 3, rows F7, FW11; rows W21.
 */
export function judgeName(name: Buffer): NameVerdict {
  if (name[0] === SLASH) return refuse('absolute-path', 'is an absolute path');
  const components = split(name).filter((part) => part.length > 0 && !part.equals(DOT));
  if (components.some((part) => part.equals(DOT_DOT))) return refuse('path-traversal', "contains a '..' component");
  if (name.includes(0)) return refuse('name-unusable', 'contains a NUL');
  if (components.some((part) => part.length > MAX_COMPONENT_BYTES))
    return refuse('name-unusable', `has a component of more than ${MAX_COMPONENT_BYTES} bytes`);
  if (name.length > MAX_PATH_BYTES) return refuse('name-unusable', `is longer than ${MAX_PATH_BYTES} bytes`);
  return { ok: true, components, oddities: odditiesOf(name, components) };
}

/** One key for all names that some file system takes for the same: case and Unicode composition do not count. */
export function foldName(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** A name for people: on one line, whatever is in it. */
export function printableName(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Whether a single path component is safe as a file name everywhere; for names that come from manifests (row FW13). */
export function isSafeComponent(name: string): boolean {
  const bytes = Buffer.from(name);
  const verdict = judgeName(bytes);
  return (
    verdict.ok &&
    verdict.components.length === 1 &&
    !name.includes('/') &&
    verdict.oddities.length === 0 &&
    !/[<>:"|?*]/.test(name)
  );
}

const SLASH = 0x2f;
const DOT = Buffer.from([0x2e]);
const DOT_DOT = Buffer.from([0x2e, 0x2e]);

function odditiesOf(name: Buffer, components: readonly Buffer[]): NameOddity[] {
  const oddities: NameOddity[] = [];
  const text = name.toString();
  if (!Buffer.from(text).equals(name)) oddities.push('not-utf8');
  if (name.includes(0x5c)) oddities.push('backslash');
  if (/^[a-z]:/i.test(text)) oddities.push('drive');
  if (name.some((byte) => byte < 0x20 || byte === 0x7f)) oddities.push('control-character');
  const texts = components.map((part) => part.toString());
  if (texts.some((part) => RESERVED.test(part))) oddities.push('reserved-name');
  if (texts.some((part) => /[. ]$/.test(part))) oddities.push('trailing-dot-or-blank');
  return oddities;
}

function split(name: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = name.indexOf(SLASH); end !== -1; end = name.indexOf(SLASH, start)) {
    parts.push(name.subarray(start, end));
    start = end + 1;
  }
  parts.push(name.subarray(start));
  return parts;
}

function refuse(problem: 'path-traversal' | 'absolute-path' | 'name-unusable', why: string): NameVerdict {
  return { ok: false, problem, why };
}
