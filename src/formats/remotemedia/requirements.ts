/** Which distributions a plugin needs: four sources, one rule (spec 4.6). */

/** Requirement lines by source, lowest precedence first. */
export interface RequirementSources {
  /** PEP 723 block of the entry module. */
  readonly inline: readonly string[];
  /** `@python_requires([...])` literals of the entry module. */
  readonly decorator: readonly string[];
  /** `[python].requires` of `plugin.toml`: all that the original reads. */
  readonly requires: readonly string[];
  /** `python_deps` of the node in a pipeline manifest. */
  readonly pythonDeps?: readonly string[];
  /** `python_env.extra_deps` of a pipeline manifest. */
  readonly extraDeps?: readonly string[];
}

/**
 * R54: the union of all sources, sorted. Lines with the same distribution and the same marker are one requirement, and the
 * later source wins; different markers are both kept. Within one source nothing is dropped but exact repeats, so that a
 * contradiction stays visible to the installer.
 *
 * @param isStrict Only `[python].requires`, as in the original. @default false
 */
export function mergeRequirements(sources: RequirementSources, isStrict = false): readonly string[] {
  const { inline, decorator, requires, pythonDeps = [], extraDeps = [] } = sources;
  const merged = new Map<string, readonly string[]>();
  for (const lines of isStrict ? [requires] : [inline, decorator, requires, pythonDeps, extraDeps]) {
    for (const [key, group] of groupByKey(lines)) merged.set(key, group);
  }
  return [...merged.values()].flat().sort();
}

/** Name of the distribution that a requirement line asks for, normalised: lower case, `_` and `.` as `-` (R49). */
export function distributionName(requirement: string): string {
  const name = /^[^><=!~[;@\s]*/u.exec(requirement.trim())?.[0] ?? '';
  return name.toLowerCase().replaceAll(/[._]/gu, '-');
}

function groupByKey(lines: readonly string[]): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const line of lines.map((text) => text.trim()).filter((text) => text !== '')) {
    const marker = line.includes(';') ? line.slice(line.indexOf(';') + 1).trim() : '';
    const key = `${distributionName(line)};${marker}`;
    const group = groups.get(key) ?? [];
    if (!group.includes(line)) groups.set(key, [...group, line]);
  }
  return groups;
}
