/** A name → the one plugin on the search path that bears it. */
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { LocateError } from '../errors.ts';
import { discoverDirectories } from './discover-directories.ts';
import type { Identity, Located, LocateOptions } from './located.ts';

/** What a search came to. */
export interface NameSearch {
  readonly found: Located | undefined;
  /** Every name on the search path, for a hint. */
  readonly names: readonly string[];
}

interface Candidate {
  readonly directory: string;
  readonly format: string;
  readonly identity: Identity | undefined;
}

/**
 * A name is a plugin's id, `id@version`, or else the name of its directory. Several plugins of one id are an error, however their
 * versions compare: which code runs must not depend on what else lies on the search path.
 *
 * @throws LocateError `PLUGIN_AMBIGUOUS` listing directories and versions
 */
export function searchNames(reference: string, options: LocateOptions): NameSearch {
  const candidates: Candidate[] = [];
  const seen = new Set<string>();
  for (const one of discoverDirectories(options.searchPath, options.formats)) {
    const format = 'format' in one ? one.format : undefined;
    const place = realpathSync(one.directory);
    if (format === undefined || seen.has(place)) continue;
    seen.add(place);
    candidates.push({ directory: one.directory, format, identity: identify(one.directory, format, options) });
  }
  const names = candidates.map((candidate) => candidate.identity?.id ?? basename(candidate.directory));
  for (const isMatch of rules(reference)) {
    const matches = candidates.filter(isMatch);
    const [match, ...others] = matches;
    if (match === undefined) continue;
    if (others.length > 0) throw ambiguous(reference, matches);
    const source = { kind: 'search' as const, reference, detail: dirname(match.directory) };
    return { found: { directory: match.directory, format: match.format, source }, names };
  }
  return { found: undefined, names };
}

/** What a name may mean, most particular first. */
function rules(reference: string): ((candidate: Candidate) => boolean)[] {
  const at = reference.lastIndexOf('@');
  const [id, version] = at > 0 ? [reference.slice(0, at), reference.slice(at + 1)] : [undefined, undefined];
  return [
    ({ identity }) => identity?.id === reference,
    ({ identity }) => id !== undefined && identity?.id === id && identity.version === version,
    ({ directory }) => basename(directory) === reference,
  ];
}

function identify(directory: string, format: string, options: LocateOptions): Identity | undefined {
  const answer = options.readId?.(directory, format);
  return typeof answer === 'string' ? { id: answer } : answer;
}

function ambiguous(reference: string, matches: readonly Candidate[]): LocateError {
  const versions = matches.map(({ directory, identity }) => {
    return { directory, version: identity?.version };
  });
  const list = versions.map(
    ({ directory, version }) => `'${directory}'${version === undefined ? '' : ` (${version})`}`,
  );
  const text = `Name '${reference}' stands for ${matches.length} plugins: ${list.join(', ')}; expected one`;
  const distinct = new Set(versions.map(({ version }) => version));
  const hint =
    distinct.size === matches.length && !distinct.has(undefined)
      ? `Name the version, for example '${reference}@${versions[0]?.version ?? ''}', or give the directory`
      : 'Give the directory instead of the name';
  return new LocateError('PLUGIN_AMBIGUOUS', text, { plugin: reference, hint, details: { matches: versions } });
}
