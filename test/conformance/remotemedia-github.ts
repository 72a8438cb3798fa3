/** `github-mock/index.json`: plugins that come from a mirror of GitHub, end to end. */
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Host, PipelineSession } from '../../src/index.ts';
import {
  describe,
  entriesOf,
  readJson,
  type RecordedCase,
  withVariables,
  type Workshop,
} from './remotemedia-workshop.ts';

interface MirrorCase {
  readonly spec: string;
  readonly result: string | readonly string[];
  readonly node_type?: string;
  readonly input?: string;
  readonly outputs?: readonly string[];
  readonly message_has?: readonly string[];
  readonly warning?: string;
  readonly tag?: string;
  readonly without_tag?: string;
  readonly changed_outputs?: readonly string[];
}

/** Every spec; a moving tag and a spec without its tag are cases of their own. */
export function githubCases(directory: string): RecordedCase[] {
  const cases = (readJson(directory, 'github-mock/index.json') ?? []) as MirrorCase[];
  return cases.flatMap((given) => {
    const id = `github-mock/${given.spec}`;
    const made: RecordedCase[] = [{ id, run: (workshop) => runSpec(workshop, given) }];
    const { without_tag: withoutTag } = given;
    if (withoutTag !== undefined) {
      const bare = { spec: given.spec.split('@')[0] ?? '', result: withoutTag };
      made.push({ id: `${id} without its tag`, run: (workshop) => runSpec(workshop, bare) });
    }
    if (given.changed_outputs !== undefined) {
      made.push({ id: `${id} after a change`, run: (workshop) => runMoving(workshop, given) });
    }
    return made;
  });
}

async function runSpec(workshop: Workshop, given: MirrorCase): Promise<string | undefined> {
  return withEmptyCache(workshop, async (host, cacheDir) =>
    withVariables(await workshop.mirrorVariables(), async () => {
      const got = await outcomeOf(host, given);
      const wanted = [given.result].flat();
      if (!wanted.includes(got.result)) return `expected ${wanted.join(' or ')}, got ${got.result}: ${got.text}`;
      const stray = entriesOf(tmpdir()).find((name) => /^charmer-.*\.txt$/.test(name));
      if (stray !== undefined) return `the archive wrote '${stray}' outside the cache`;
      if (got.result !== 'ok') {
        const left = entriesOf(join(cacheDir, 'plugins'));
        if (left.length > 0) return `the cache holds ${left.join(', ')} after a refusal`;
      }
      const missing = (given.message_has ?? []).find((text) => !got.text.includes(text));
      if (missing !== undefined) return `expected '${missing}' in: ${got.text}`;
      const { warning } = given;
      if (warning !== undefined && !workshop.warnings.some((text) => text.includes(warning))) {
        return `expected a warning with '${warning}', got ${workshop.warnings.join('; ') || 'none'}`;
      }
      return undefined;
    }),
  );
}

/** R22: the old outputs until a refresh, the new ones after it. */
async function runMoving(workshop: Workshop, given: MirrorCase): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'charmer-mirror-'));
  try {
    cpSync(join(workshop.directory, 'github-mock'), folder, { recursive: true });
    return await withEmptyCache(workshop, async (host) =>
      withVariables(await workshop.mirrorVariables(folder), async () => {
        const first = await outputsOf(host, given);
        const [path = '', tag = ''] = given.spec.split('@');
        const archive = join(folder, 'codeload', path, 'tar.gz/refs/tags', tag);
        renameSync(`${archive}.changed`, archive);
        const second = await outputsOf(host, given);
        const refreshed = await outputsOf(host, given, true);
        const got = JSON.stringify([first, second, refreshed]);
        const wanted = JSON.stringify([given.outputs, given.outputs, given.changed_outputs]);
        return got === wanted ? undefined : `expected ${wanted}, got ${got}`;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withEmptyCache<T>(workshop: Workshop, work: (host: Host, cacheDir: string) => Promise<T>): Promise<T> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'charmer-cache-'));
  const host = workshop.newHost({ cacheDir });
  try {
    return await work(host, cacheDir);
  } finally {
    await host.close();
    rmSync(cacheDir, { recursive: true, force: true });
  }
}

async function outcomeOf(host: Host, given: MirrorCase): Promise<{ result: string; text: string }> {
  try {
    const outputs = await outputsOf(host, given);
    const isRight = given.outputs === undefined || JSON.stringify(outputs) === JSON.stringify(given.outputs);
    return { result: isRight ? 'ok' : `outputs ${JSON.stringify(outputs)}`, text: '' };
  } catch (error) {
    const { details } = error as { details?: { kind?: unknown } };
    const kind = String(details?.kind);
    const isOurs = kind === 'native' || kind === 'not-a-source-plugin';
    return { result: `${isOurs ? 'ours' : 'error'}:${kind}`, text: describe(error) };
  }
}

async function outputsOf(host: Host, given: MirrorCase, refresh = false): Promise<readonly string[]> {
  const session = await host.session(
    {
      ...{ version: 'v1', metadata: {}, connections: [], plugins: [given.spec] },
      nodes: [{ id: 'n', node_type: given.node_type ?? 'EchoPythonNode' }],
    },
    { refresh },
  );
  return textsOf(session, given.input === undefined ? [] : [given.input]);
}

async function textsOf(session: PipelineSession, inputs: readonly string[]): Promise<readonly string[]> {
  try {
    for (const input of inputs) await session.send(input);
    await session.inputComplete();
    const texts: string[] = [];
    for await (const { data, error } of session) {
      if (error !== undefined) throw error;
      texts.push(data?.type === 'text' ? data.data : `<${data?.type ?? ''}>`);
    }
    return texts;
  } finally {
    await session.close();
  }
}
