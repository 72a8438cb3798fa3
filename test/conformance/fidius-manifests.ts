import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CharmerError } from '../../src/errors.ts';
import { manifestJson, parsePackageManifest } from '../../src/formats/fidius/manifest.ts';
import type { JsonObject } from '../../src/plugin-spec.ts';
import type { CaseResult } from './case-result.ts';

interface ManifestCase {
  readonly id: string;
  readonly manifest: string | { readonly base64: string };
  readonly library: { readonly ok?: JsonObject; readonly err?: { readonly kind: string; readonly text: string } };
}

/**
 * F1, F2: `manifests.json`, compared with the library's verdict.
 *
 * Accepted: every field is equal. Refused: the kind of error is equal, and the text too; only where the TOML itself is
 * broken may the reason (the lines after the caret) be in other words, while line, column and quoted source are equal.
 */
export async function runManifestCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(join(directory, 'manifests.json'), 'utf8')) as { manifests: ManifestCase[] };
  return file.manifests.map((one) => {
    const reason = differenceOf(one);
    return reason === undefined
      ? { id: `manifests/${one.id}`, outcome: 'passed' }
      : { id: `manifests/${one.id}`, outcome: 'failed', reason };
  });
}

function differenceOf({ manifest, library }: ManifestCase): string | undefined {
  const source = typeof manifest === 'string' ? manifest : Buffer.from(manifest.base64, 'base64');
  try {
    const ours = manifestJson(parsePackageManifest(source, 'package.toml'));
    if (library.ok === undefined) return `accepted, expected ${library.err?.kind ?? 'an error'}`;
    return isDeepStrictEqual(ours, library.ok) ? undefined : `read as ${JSON.stringify(ours)}`;
  } catch (error) {
    if (!(error instanceof CharmerError) || library.err === undefined) return `refused: ${String(error)}`;
    const { kind, text } = error.details ?? {};
    if (kind !== library.err.kind) return `kind ${String(kind)}, expected ${library.err.kind}`;
    return sameText(String(text), library.err.text) ? undefined : `text ${JSON.stringify(text)}`;
  }
}

const SHAPE_REASON = /^(?:missing field|invalid type|invalid value|duplicate key)/m;

function sameText(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  const isSyntax = theirs.includes('TOML parse error') && !SHAPE_REASON.test(theirs);
  return isSyntax && untilCaret(ours) === untilCaret(theirs);
}

function untilCaret(text: string): string {
  return text.split('\n').slice(0, 4).join('\n');
}
