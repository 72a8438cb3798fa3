import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { hashInterface, signatureA, signatureB } from '../../src/formats/fidius/interface-hash.ts';
import { parseInterfaceSource, selectInterface } from '../../src/formats/fidius/interface-source.ts';
import type { CaseResult } from './case-result.ts';

interface RecordedMethod {
  readonly name: string;
  readonly args: readonly string[];
  readonly raw: boolean;
  readonly optional: boolean;
  readonly signature_a: string;
  readonly signature_b: string;
}

interface RecordedInterface {
  readonly id: string;
  readonly trait: string;
  readonly source: string;
  readonly methods: readonly RecordedMethod[];
  readonly host: {
    readonly canonical: string;
    readonly hash: string;
    readonly descriptor: readonly { readonly name: string; readonly raw: boolean }[];
  };
  readonly stub: { readonly canonical: string; readonly hash: string };
}

interface OddInterface {
  readonly id: string;
  readonly source: string;
  readonly accepted: boolean;
  readonly stub_hash: string;
  readonly host_hash?: string;
  readonly refusal?: readonly string[];
}

/**
 * F16, F17: `hashes.json`. Methods, both canonical texts and both hashes are equal, character by character.
 * Odd interfaces: the stub's hash is equal; the host's too where the macro accepts the trait, else its reason is
 * among ours.
 */
export async function runHashCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(join(directory, 'hashes.json'), 'utf8')) as {
    interfaces: RecordedInterface[];
    odd: OddInterface[];
  };
  const results: CaseResult[] = [];
  for (const one of file.interfaces) results.push(verdict(`hashes/${one.id}`, await interfaceDifference(one)));
  for (const one of file.odd) results.push(verdict(`hashes/odd-${one.id}`, await oddDifference(one)));
  return results;
}

async function interfaceDifference(one: RecordedInterface): Promise<string | undefined> {
  const trait = selectInterface(await parseInterfaceSource(one.source, 'lib.rs'), one.trait);
  const methods = trait.methods.map((method) => ({
    name: method.name,
    args: method.args.map(({ name }) => name),
    raw: method.isRaw,
    optional: method.isOptional,
    signature_a: signatureA(method),
    signature_b: signatureB(method),
  }));
  const { a, b, refusals } = hashInterface(trait);
  const descriptor = methods.map(({ name, raw }) => ({ name, raw }));
  const ours = { methods, host: { ...a, descriptor }, stub: b, refusals };
  const theirs = { methods: one.methods, host: one.host, stub: one.stub, refusals: [] };
  return isDeepStrictEqual(ours, theirs) ? undefined : `${JSON.stringify(ours)} expected ${JSON.stringify(theirs)}`;
}

async function oddDifference(one: OddInterface): Promise<string | undefined> {
  const { a, b, refusals } = hashInterface(selectInterface(await parseInterfaceSource(one.source, 'lib.rs')));
  if (b.hash !== one.stub_hash) return `stub hash ${b.hash} of ${b.canonical}, expected ${one.stub_hash}`;
  if (!one.accepted) {
    const reason = one.refusal?.at(-1) ?? '';
    return refusals.includes(reason) ? undefined : `refusals ${JSON.stringify(refusals)}, expected ${reason}`;
  }
  if (refusals.length > 0) return `refused: ${refusals.join('; ')}`;
  return a.hash === one.host_hash ? undefined : `host hash ${a.hash} of ${a.canonical}, expected ${one.host_hash}`;
}

function verdict(id: string, reason: string | undefined): CaseResult {
  return reason === undefined ? { id, outcome: 'passed' } : { id, outcome: 'failed', reason };
}
