import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PluginHost } from '../../../src/doors/fidius.ts';
import { fidius } from '../../../src/formats/fidius/index.ts';
import { readSecretKey } from '../../../src/signing/keys.ts';
import { signPackage } from '../../../src/signing/sign-package.ts';
import type { Suite } from '../fidius-calls.ts';
import { errorDifference, outcomeOf } from './outcome.ts';
import type { Row, StepResult } from './recorded.ts';
import type { Verdict } from './values-sections.ts';
import { recordedPython } from './world.ts';

interface Sequence {
  readonly result?: string;
  readonly builder?: { readonly require_signature?: boolean; readonly trusted_keys?: readonly (readonly string[])[] };
  readonly steps?: readonly { readonly op: string }[];
  readonly cli?: readonly string[];
  readonly append?: Readonly<Record<string, string>>;
}

/**
 * F36: loads under required signatures, in the recorded order. Outcomes and texts are equal, but for the original's
 * trap: a load leaves no byte-code in the package here, so every later load of it is valid too (FW6).
 */
export async function signatures(row: Row, { world, directory }: Suite): Promise<Verdict> {
  const keys = join(directory, 'keys');
  if (!existsSync(keys)) return { skipped: 'the directory has no keys' };
  world.write(row.input);
  const signed = join(world.directory, 'signed');
  const place = (text: string): string => text.replaceAll('{KEYS}', keys).replaceAll('{DIR}', world.directory);
  const cacheDir = mkdtempSync(join(tmpdir(), 'charmer-fidius-signed-'));
  const { sequence } = row.input as unknown as { sequence: readonly Sequence[] };
  const recorded = row as unknown as Record<string, StepResult | boolean | undefined>;
  try {
    for (const each of sequence) {
      if (each.cli?.[1] === 'sign') await signPackage(signed, fidius.archive, readSecretKey(place(each.cli[3] ?? '')));
      for (const [path, text] of Object.entries(each.append ?? {})) appendFileSync(place(path), text);
      if (each.steps?.[0]?.op !== 'load' || each.result === undefined) continue;
      const reason = await loadDifference(each, recorded[each.result], { world, place, cacheDir });
      if (reason !== undefined) return `${each.result}: ${reason}`;
    }
    return readdirSync(signed).includes('__pycache__') ? 'byte-code was left in the package' : undefined;
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}

async function loadDifference(
  each: Sequence,
  recorded: StepResult | boolean | undefined,
  { world, place, cacheDir }: { world: Suite['world']; place: (text: string) => string; cacheDir: string },
): Promise<string | undefined> {
  const builder = PluginHost.builder()
    .searchPath(world.directory)
    .hostOptions({ python: { path: recordedPython() }, cacheDir })
    .requireSignature(each.builder?.require_signature ?? false);
  for (const list of each.builder?.trusted_keys ?? []) {
    builder.trustedKeys(list.map((path) => readFileSync(place(path))));
  }
  const host = builder.build();
  try {
    const outcome = await outcomeOf(() => host.loadPython('signed', world.descriptor('ok:go', false)));
    const wanted = typeof recorded === 'object' ? recorded.err : undefined;
    if (wanted === undefined || each.result === 'second_load_bytecode_on') {
      return 'ok' in outcome ? undefined : `refused: ${outcome.err.message}`;
    }
    return 'ok' in outcome ? 'loaded' : errorDifference(outcome.err, wanted, world.normalise);
  } finally {
    await host.close();
  }
}
