/** What a manifest says that the original passes over in silence (spec W39, W22, §3.1): each with its place. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { didYouMean } from '../../nearest-name.ts';
import type { Finding } from '../../plugin-spec.ts';
import type { ReadonlyTree } from '../format.ts';
import { CAPABILITY_KEYS, MANIFEST_FILE, type ParsedManifest } from './manifest.ts';
import { isRecord, ownValue } from './record.ts';

const KNOWN_KEYS = [
  ...['id', 'name', 'version', 'author', 'description', 'homepage', 'isNsfw', 'tags', 'runtime', 'entry', 'script'],
  ...['stashDefinition', 'requires', 'auth', 'capabilities'],
];
const AUTH_KEYS = ['key', 'label', 'required', 'url'];
const TEXT_KEYS = ['author', 'description', 'homepage', 'entry', 'stashDefinition'];

/** A finding before it has a place. */
interface Remark {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly severity?: 'error';
  readonly hint?: string | undefined;
}

/** Every trap of a manifest that could be read, in the order of its lines. */
export function manifestFindings(parsed: ParsedManifest, files: ReadonlyTree): Finding[] {
  const remarks = [
    ...idRemarks(parsed),
    ...keyRemarks(parsed),
    ...commandRemarks(parsed, files),
    ...capabilityRemarks(parsed),
    ...authRemarks(parsed),
    ...requiresRemarks(parsed, files),
  ];
  return remarks.map((remark) => placed(remark, parsed)).sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Siblings that the manifest asks for and that are not there: the only findings that matter to a call. */
export function siblingFindings(parsed: ParsedManifest, files: ReadonlyTree): Finding[] {
  return requiresRemarks(parsed, files).map((remark) => placed(remark, parsed));
}

/** A sibling that the manifest asks for and that is not beside the plugin: also told when a call fails. */
export function isMissingSibling(finding: Finding): boolean {
  return finding.key?.startsWith('requires.') === true && finding.message.endsWith('is not installed');
}

function idRemarks({ manifest }: ParsedManifest): Remark[] {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(manifest.id)) return [];
  const hint = 'Use letters, digits, dots, dashes and underscores; a package with this id is not installed.';
  return [{ path: ['id'], message: `The id '${manifest.id}' is no plain name`, hint }];
}

function keyRemarks({ document }: ParsedManifest): Remark[] {
  if (!isRecord(document)) return [];
  const unknown = Object.keys(document)
    .filter((key) => !KNOWN_KEYS.includes(key))
    .map((key) => ({ path: [key], message: `Unknown key '${key}' is ignored`, hint: didYouMean(key, KNOWN_KEYS) }));
  const texts = TEXT_KEYS.filter((key) => isUnusable(document, key, 'string')).map((key) => ({
    path: [key],
    message: `The ${key} is ${kindOf(document[key])}, not text, and is ignored`,
  }));
  const flag = isUnusable(document, 'isNsfw', 'boolean')
    ? [{ path: ['isNsfw'], message: `isNsfw is ${kindOf(document['isNsfw'])}, not true or false, and counts as false` }]
    : [];
  return [...unknown, ...texts, ...flag, ...tagRemarks(document)];
}

function tagRemarks(document: Record<string, unknown>): Remark[] {
  const tags = ownValue(document, 'tags');
  if (tags === undefined || tags === null) return [];
  if (!Array.isArray(tags)) return [{ path: ['tags'], message: `tags is ${kindOf(tags)}, not a list, and is ignored` }];
  return tags.flatMap((tag: unknown, index) =>
    typeof tag === 'string'
      ? []
      : [{ path: ['tags', index], message: `A tag is ${kindOf(tag)}, not text, and is ignored` }],
  );
}

function commandRemarks(parsed: ParsedManifest, files: ReadonlyTree): Remark[] {
  const { manifest, document } = parsed;
  const script = isRecord(document) ? ownValue(document, 'script') : undefined;
  const remarks: Remark[] = [];
  if (manifest.runtime === 'typescript' && manifest.entry === undefined) {
    remarks.push({ path: ['runtime'], message: "Runtime 'typescript' without entry" });
  }
  if (manifest.runtime === 'stash-compat' && manifest.stashDefinition === undefined) {
    remarks.push({ path: ['runtime'], message: "Runtime 'stash-compat' without stashDefinition" });
  }
  if (script !== undefined && script !== null && !Array.isArray(script)) {
    const hint =
      typeof script === 'string'
        ? `Write script: [${script
            .split(/\s+/)
            .map((word) => `'${word}'`)
            .join(', ')}].`
        : undefined;
    remarks.push({
      path: ['script'],
      severity: 'error',
      message: `script is ${kindOf(script)}, not a list: there is no command to run`,
      hint,
    });
  } else if (manifest.script?.length === 0) {
    remarks.push({ path: ['script'], severity: 'error', message: 'script is empty: there is no command to run' });
  } else if (manifest.script === undefined && manifest.runtime === 'python') {
    const hint = "Write script: ['python3', 'main.py'].";
    remarks.push({
      path: ['runtime'],
      severity: 'error',
      message: "Runtime 'python' without script: there is no command to run",
      hint,
    });
  }
  if (manifest.runtime !== 'python' && manifest.script === undefined) {
    remarks.push({
      path: ['runtime'],
      severity: 'error',
      message: `Plugins of runtime '${manifest.runtime}' do not run here: only commands of a script do`,
    });
  }
  return [...remarks, ...wordRemarks(script, files)];
}

function wordRemarks(script: unknown, files: ReadonlyTree): Remark[] {
  if (!Array.isArray(script)) return [];
  const words: readonly unknown[] = script;
  const remarks = words.flatMap((word, index): Remark[] => {
    const path = ['script', index];
    if (typeof word !== 'string')
      return [
        {
          path,
          message: `Word ${index + 1} of script is ${kindOf(word)} and is passed as text`,
          hint: 'Put it in quotes.',
        },
      ];
    if (word.includes('\0'))
      return [{ path, severity: 'error', message: `Word ${index + 1} of script holds a NUL character` }];
    return [];
  });
  if (words[0] === '')
    remarks.push({
      path: ['script', 0],
      severity: 'error',
      message: 'The first word of script is blank: there is no command to run',
    });
  const file = scriptFile(words);
  if (file !== undefined && files.kind(file.name) === 'absent') {
    remarks.push({
      path: ['script', file.index],
      severity: 'error',
      message: `The file '${file.name}' of script does not exist`,
    });
  }
  return remarks;
}

/** The file of the plugin's own that a command starts, where that is plain to see. */
function scriptFile(words: readonly unknown[]): { name: string; index: number } | undefined {
  const index = words[0] === 'python' || words[0] === 'python3' ? 1 : 0;
  const word = words[index];
  if (typeof word !== 'string') return undefined;
  const isOwn = index === 1 ? /^[^-/][^\0]*\.py$/.test(word) : word.startsWith('./');
  return isOwn && !word.includes('..') ? { name: word.replace(/^\.\//, ''), index } : undefined;
}

function capabilityRemarks({ document, undeclaredCapabilities }: ParsedManifest): Remark[] {
  const declared = isRecord(document) ? ownValue(document, 'capabilities') : undefined;
  if (Array.isArray(declared)) {
    const hint = 'Write a mapping, as in movieByName: true.';
    return [{ path: ['capabilities'], message: 'capabilities is a list, not a mapping, and declares nothing', hint }];
  }
  if (!isRecord(declared)) return [];
  const known: readonly string[] = CAPABILITY_KEYS;
  return Object.entries(declared).flatMap(([key, value]): Remark[] => {
    const path = ['capabilities', key];
    if (!known.includes(key)) {
      const fate = Object.hasOwn(undeclaredCapabilities, key) ? 'is kept as undeclared' : 'is ignored';
      return [{ path, message: `Unknown capability '${key}' ${fate}`, hint: didYouMean(key, known) }];
    }
    if (typeof value === 'boolean') return [];
    return [{ path, message: `Capability ${key} is ${kindOf(value)}, not true or false, and is ignored` }];
  });
}

function authRemarks({ document }: ParsedManifest): Remark[] {
  const auth = isRecord(document) ? ownValue(document, 'auth') : undefined;
  if (auth === undefined || auth === null) return [];
  if (!Array.isArray(auth)) {
    const hint = 'Write each key as an entry of a list, as in - key: API_KEY.';
    return [{ path: ['auth'], message: `auth is ${kindOf(auth)}, not a list, and is ignored`, hint }];
  }
  const seen = new Set<string>();
  return auth.flatMap((entry: unknown, index) => {
    const path = ['auth', index];
    if (!isRecord(entry)) return [{ path, message: 'An auth entry is a list, not a mapping: its key is blank' }];
    const remarks = authEntryRemarks(entry, path);
    const key = ownValue(entry, 'key');
    if (typeof key === 'string' && key !== '') {
      if (seen.has(key)) remarks.push({ path, message: `auth has key ${key} twice` });
      seen.add(key);
    }
    return remarks;
  });
}

function authEntryRemarks(entry: Record<string, unknown>, path: readonly (string | number)[]): Remark[] {
  const remarks: Remark[] = Object.keys(entry)
    .filter((key) => !AUTH_KEYS.includes(key))
    .map((key) => ({
      path: [...path, key],
      message: `Unknown key '${key}' of an auth entry is ignored`,
      hint: didYouMean(key, AUTH_KEYS),
    }));
  const { key, required, url } = { key: entry['key'], required: entry['required'], url: entry['url'] };
  if (key === undefined || key === null || key === '') remarks.push({ path, message: 'An auth entry has no key' });
  if (required !== undefined && typeof required !== 'boolean') {
    remarks.push({
      path: [...path, 'required'],
      message: `required is ${kindOf(required)}, not true or false, and counts as true`,
    });
  }
  if (url !== undefined && typeof url !== 'string') {
    remarks.push({ path: [...path, 'url'], message: `url is ${kindOf(url)}, not text, and is ignored` });
  }
  return remarks;
}

function requiresRemarks({ document, manifest }: ParsedManifest, files: ReadonlyTree): Remark[] {
  const requires = isRecord(document) ? ownValue(document, 'requires') : undefined;
  if (requires !== undefined && requires !== null && !Array.isArray(requires)) {
    return [{ path: ['requires'], message: `requires is ${kindOf(requires)}, not a list, and is ignored` }];
  }
  return (manifest.requires ?? []).flatMap((name, index): Remark[] => {
    const path = ['requires', index];
    if (name === '' || name.includes('/') || name.includes('\\') || name.startsWith('.')) {
      return [{ path, message: `The required sibling '${name}' is no plain name and has no effect` }];
    }
    if (isInstalled(files.directory, name)) return [];
    const hint = `Put the directory '${name}' beside the plugin's own.`;
    return [{ path, message: `The required sibling '${name}' is not installed`, hint }];
  });
}

/** Neighbours are no part of the plugin's own tree: the one place where a manifest is compared with what is beside it. */
function isInstalled(directory: string, name: string): boolean {
  const root = dirname(directory);
  return existsSync(join(root, name)) || existsSync(join(root, `${name}.py`));
}

function placed(remark: Remark, { positions }: ParsedManifest): Finding {
  const where = positions.of(remark.path);
  return {
    severity: remark.severity ?? 'warning',
    message: remark.message,
    file: MANIFEST_FILE,
    key: remark.path.join('.'),
    ...(where === undefined ? {} : where),
    ...(remark.hint === undefined ? {} : { hint: remark.hint }),
  };
}

function isUnusable(document: Record<string, unknown>, key: string, type: 'string' | 'boolean'): boolean {
  const value = ownValue(document, key);
  return value !== undefined && value !== null && typeof value !== type;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
