/** The recorded cases of an Obscura fixtures directory: their fields as its README describes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonFields = { [key: string]: Json };

/** A form that an outcome must have. Only the fields that are there are looked at. */
export interface Expectation extends JsonFields {
  kind: string;
}

/** What is required of us in place of, or beside, what the original did. */
export interface Requirement {
  readonly weakness?: string;
  readonly expected?: Expectation | 'same';
  readonly diagnostic?: string;
  readonly validate?: string;
  readonly withOption?: { readonly option: string; readonly expected: Expectation | 'unchanged' };
  readonly settles?: readonly [number, number];
  readonly processFaults?: readonly string[];
  readonly after?: After;
  readonly processes?: number;
  readonly envelope?: { readonly has?: readonly string[]; readonly lacks?: readonly string[] };
  readonly peak?: number;
  readonly install?: string;
  readonly status?: Readonly<Record<string, string>>;
  readonly reason?: string;
  readonly never?: Expectation;
  readonly replacementCharacters?: number;
  readonly prototypeKeys?: readonly string[];
  readonly errorIncludes?: readonly string[];
  readonly everyValueAtMost?: Readonly<Record<string, number>>;
  readonly hostMemoryRiseAtMostBytes?: number;
  readonly manual?: boolean;
  readonly note?: string;
}

/** What must hold when the call has settled. */
export interface After {
  readonly noneAlive?: string | boolean;
  readonly pidGone?: string;
  readonly filesPresent?: readonly string[];
}

export interface RecordedCase {
  readonly id: string;
  readonly section: string;
  readonly op: string;
  readonly plugin?: {
    readonly use: string;
    readonly siblings?: readonly string[];
    readonly files?: Readonly<Record<string, Json>>;
    readonly modes?: Readonly<Record<string, string>>;
  };
  readonly host?: { readonly env?: Readonly<Record<string, string>> };
  readonly server?: string;
  readonly call: JsonFields;
  readonly pick?: readonly string[];
  readonly vector?: JsonFields;
  readonly settles?: readonly [number, number] | null;
  readonly observed: boolean;
  readonly expected: (Expectation & { after?: After }) | null;
  readonly ours?: Requirement;
  readonly note?: string;
}

/** Reads `outcomes.json`. An own key `__proto__` stays one: `JSON.parse` keeps it. */
export function readCases(directory: string): readonly RecordedCase[] {
  const text = readFileSync(join(directory, 'outcomes.json'), 'utf8');
  return (JSON.parse(text) as { readonly cases: readonly RecordedCase[] }).cases;
}

/** The rows of the checklist of spec §11, with the cases that prove each. */
const CHECKLIST: readonly (readonly [string, RegExp])[] = [
  ['O2', /^manifest\//],
  ['O3', /^manifest\/(id|name|version|runtime)-/],
  ['O4', /^manifest\/capabilities-|^envelope\/undeclared-action/],
  ['O5', /^manifest\/auth-/],
  ['O6', /^manifest\/script-|^command\/coerced-arguments/],
  ['O7', /^command\/(no|empty|string)-script-/],
  ['O8', /^command\/(alias|python2)/],
  ['O9', /^environment\/(cwd|pythonpath-link)/],
  ['O10', /^environment\/pythonpath/],
  ['O11', /^single\/plugin-sibling-helper/],
  ['O12', /^single\/plugin-argv|^command\/no-shell/],
  ['O13', /^envelope\/(single|batch)$/],
  ['O15', /^envelope\/open-input/],
  ['O16', /^envelope\/bytes-/],
  ['O17', /^envelope\/bytes/],
  ['O18', /^single\//],
  ['O19', /^batch\//],
  ['O20', /^single\/69-/],
  ['O21', /^single\/1-/],
  ['O22', /^single\/error/],
  ['O23', /^single\/plugin-stderr-log-/],
  ['O24', /^limits\//],
  ['O25', /^limits\/(clean-exit-after-term|ignored-term|grandchild)/],
  ['O26', /^fan-out\//],
  ['O27', /^required\/dispatch-single/],
  ['O28', /^required\/dispatch-batch/],
  ['O29', /^batch\/(blank|null|69-)/],
  ['O30', /^single\/result-/],
  ['O31', /^single\/object/],
  ['O32', /^shape\//],
  ['O33', /^shape\/saved-/],
  ['O34', /^single\/plugin-auth-echo/],
  ['O35', /^auth\/decrypt-/],
  ['O37', /^single\/plugin-docs-shape-no-key/],
  ['O43', /^index\//],
  ['O44 O45', /^single\/plugin-vendored-lib/],
  ['O46', /^single\/plugin-counter/],
  ['O47', /^single\/(error|1-|2-|signal|parse-error)/],
  ['O48', /^manifest\/capabilities-later/],
  ['O49', /^single\/1-error|^limits\/clean-exit-after-term/],
  ['O50', /^single\/error/],
  ['O51', /^single\/(bom|nbsp)/],
  ['O52', /^single\/parse-error-200/],
  ['O53', /^limits\/closed-output-but-alive/],
  ['O54', /^limits\/answered-but-alive/],
  ['O55', /^command\/exec-bit/],
  ['O56', /^episode-/],
  ['O57', /^external-ids\//],
  ['O58', /^environment\/pythonpath-link/],
];

/** The name of a case with its section or weakness and the rows of the checklist that it proves. */
export function caseName(recorded: RecordedCase): string {
  const weakness = recorded.ours?.weakness;
  const rows = CHECKLIST.filter(([, pattern]) => pattern.test(recorded.id)).map(([row]) => row);
  const section = recorded.section.startsWith('W') ? recorded.section : `§${recorded.section}`;
  return `${recorded.id} (${[...new Set([section, ...(weakness === undefined ? [] : [weakness]), ...rows])].join(', ')})`;
}
