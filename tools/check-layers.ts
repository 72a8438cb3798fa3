/**
 * Which folder may import which, that there are no cycles, and that formats are named only in their own rooms.
 * The table is the direction of the road: a call travels from `locate` to `host`, imports only the other way round.
 */
import { posix } from 'node:path';

import { librarySources, projectFiles, readProjectFile, report } from './source-files.ts';

const LEAVES = [
  'errors',
  'plugin-spec',
  'pipeline-manifest',
  'runtime-data',
  'runtime-codec',
  'nearest-name',
  'within',
];

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  'plugin-spec': [],
  'runtime-data': [],
  'nearest-name': [],
  within: [],
  'pipeline-manifest': ['plugin-spec'],
  'runtime-codec': ['errors', 'runtime-data'],
  archive: LEAVES,
  secrets: LEAVES,
  process: LEAVES,
  wire: [...LEAVES, 'plugin/plugin-session.ts'],
  formats: [...LEAVES, 'secrets'],
  signing: [...LEAVES, 'archive'],
  locate: [...LEAVES, 'archive', 'formats/format.ts'],
  provision: [...LEAVES, 'process'],
  plugin: [...LEAVES, 'formats/format.ts', 'process', 'wire', 'provision'],
  pipeline: [...LEAVES, 'formats/format.ts', 'plugin'],
  store: [...LEAVES, 'archive', 'signing', 'secrets', 'locate'],
  host: [
    ...LEAVES,
    'archive',
    'secrets',
    'process',
    'wire',
    'formats/index.ts',
    'formats/format.ts',
    'signing',
    'locate',
    'provision',
    'plugin',
    'pipeline',
    'store',
  ],
  doors: [...LEAVES, 'index', 'formats', 'archive', 'signing', 'secrets', 'pipeline'],
  cli: [...LEAVES, 'index', 'doors'],
  inspector: ['index', 'doors'],
  index: [
    ...LEAVES,
    'host',
    'plugin',
    'pipeline',
    'formats',
    'archive',
    'signing',
    'secrets',
    'locate',
    'provision',
    'store',
  ],
};

/** Places besides `formats/` and `doors/` that may name a format: the drop-in command, the list it is on, the demonstration. */
const MAY_NAME_FORMATS = [
  /^src\/formats\//,
  /^src\/doors\//,
  /^src\/cli\/commands\/(fidius|demo|index)\.ts$/,
  /^src\/cli\/demo\//,
];
const FORMAT_NAMES = /fidius|remotemedia|obscura/i;

const sources = librarySources();
const imports = new Map(sources.map((path) => [path, importsOf(path)]));
report('layers', [...wrongDirections(), ...cycles(), ...namedFormats()]);

function importsOf(path: string): readonly string[] {
  const text = readProjectFile(path);
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => posix.normalize(posix.join(posix.dirname(path), specifier)));
}

function roomOf(path: string): string {
  const parts = path.split('/');
  return (parts.length > 2 ? parts[1] : posix.basename(path, '.ts')) ?? '';
}

function wrongDirections(): string[] {
  const findings: string[] = [];
  for (const [path, targets] of imports) {
    const room = roomOf(path);
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) {
      findings.push(`'${path}' is in a room that the table does not know`);
      continue;
    }
    for (const target of targets) {
      const targetRoom = roomOf(target);
      if (targetRoom === room && !crossesFormats(path, target)) continue;
      const isAllowed = allowed.some((entry) => entry === targetRoom || target === `src/${entry}`);
      if (!isAllowed || crossesFormats(path, target)) findings.push(`'${path}' must not import '${target}'`);
    }
  }
  return findings;
}

/** One format never imports another. */
function crossesFormats(path: string, target: string): boolean {
  const [, room, from] = path.split('/');
  const [, targetRoom, to] = target.split('/');
  if (room !== 'formats' || targetRoom !== 'formats' || from === undefined || to === undefined) return false;
  return !from.endsWith('.ts') && !to.endsWith('.ts') && from !== to;
}

function cycles(): string[] {
  const findings: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      findings.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
      return;
    }
    state.set(path, 'open');
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of sources) visit(path, []);
  return findings;
}

function namedFormats(): string[] {
  const python = projectFiles().filter((path) => /^runner\/.*\.py$/.test(path) && !path.includes('/tests/'));
  return [...sources, ...python]
    .filter((path) => !MAY_NAME_FORMATS.some((pattern) => pattern.test(path)))
    .flatMap((path) =>
      readProjectFile(path)
        .split('\n')
        .flatMap((line, index) => (FORMAT_NAMES.test(line) ? [`'${path}:${index + 1}' names a format`] : [])),
    );
}
