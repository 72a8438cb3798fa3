import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { pythonStub } from '../../src/formats/fidius/python-stub.ts';
import type { CaseResult } from './case-result.ts';

interface Todo {
  readonly kind: string;
  readonly rust: string;
}

interface RecordedStub {
  readonly source: string;
  readonly hash: string;
  readonly imports: readonly string[];
  readonly interface_comment: string;
  readonly unmapped_notice: boolean;
  readonly methods: readonly {
    readonly name: string;
    readonly decorated: boolean;
    readonly params: readonly { readonly name: string; readonly annotation: string; readonly todo: Todo | null }[];
    readonly returns: { readonly annotation: string; readonly todo: Todo | null };
    readonly raw_note: boolean;
    readonly docs: readonly string[];
  }[];
  readonly ends_with: string;
}

/** What `read_stub.py` finds in a stub: everything by Python's own parser, comments by their place. */
interface ReadStub {
  readonly importable: string | null;
  readonly hash: string;
  readonly imports: readonly string[];
  readonly found: readonly string[];
  readonly methods: readonly {
    readonly name: string;
    readonly decorated: boolean;
    readonly params: readonly (readonly [string, string])[];
    readonly returns: string;
    readonly comments: readonly string[];
  }[];
}

/**
 * F18: `stubs/facts.json`, compared with our stub in the original's shape.
 *
 * Equal: hash, imports, the comment that names the interface, whether there is a notice about unmapped types, methods
 * in order with decorator, parameters, annotations, notes about unmapped types, raw notes and documentation lines, and
 * the end of the file. Better than the original, and required: every stub can be imported, so names that Python
 * forbids are changed by the rule of `pythonSpelling`, and lines of block comments are all comments. Our default
 * stub of the same interface must be importable too.
 */
export async function runStubCases(directory: string): Promise<CaseResult[]> {
  const file = JSON.parse(readFileSync(join(directory, 'stubs', 'facts.json'), 'utf8')) as {
    stubs: Record<string, RecordedStub>;
  };
  const entries = Object.entries(file.stubs);
  const texts = await Promise.all(
    entries.map(async ([, { source }]) => ({
      compat: (await pythonStub(source, { compat: true })).text,
      rich: (await pythonStub(source)).text,
    })),
  );
  const read = readStubs(texts.flatMap(({ compat, rich }) => [compat, rich]));
  return entries.map(([id, recorded], index) => {
    const reason = difference(recorded, read[2 * index], texts[index]?.compat ?? '') ?? broken(read[2 * index + 1]);
    return reason === undefined
      ? { id: `stubs/${id}`, outcome: 'passed' }
      : { id: `stubs/${id}`, outcome: 'failed', reason };
  });
}

function readStubs(texts: readonly string[]): ReadStub[] {
  const script = fileURLToPath(new URL('read_stub.py', import.meta.url));
  const sdk = fileURLToPath(new URL('../../src/formats/fidius/python', import.meta.url));
  const output = execFileSync('python3', ['-I', script, sdk], { input: JSON.stringify(texts), encoding: 'utf8' });
  return JSON.parse(output) as ReadStub[];
}

function broken(stub: ReadStub | undefined): string | undefined {
  return stub?.importable === null ? undefined : `our own stub: ${stub?.importable ?? 'unread'}`;
}

function difference(recorded: RecordedStub, stub: ReadStub | undefined, text: string): string | undefined {
  if (stub?.importable !== null) return `not importable: ${stub?.importable ?? 'unread'}`;
  const facts: [string, unknown, unknown][] = [
    ['hash', stub.hash, recorded.hash],
    ['imports', stub.imports, recorded.imports],
    ['interface comment', text.split('\n').includes(recorded.interface_comment), true],
    ['unmapped notice', text.includes('have no Python hint'), recorded.unmapped_notice],
    ['methods', stub.methods.map((method) => method.name), recorded.methods.map(({ name }) => pythonSpelling(name))],
    ['attributes', recorded.methods.every(({ name }) => stub.found.includes(name.replace(/^r#/, ''))), true],
    ...endFact(recorded, text),
  ];
  const odd = facts.find(([, ours, theirs]) => !isDeepStrictEqual(ours, theirs));
  if (odd !== undefined) return `${odd[0]} ${JSON.stringify(odd[1])}, expected ${JSON.stringify(odd[2])}`;
  return recorded.methods
    .map((method, index) => methodDifference(method, stub.methods[index]))
    .find((reason) => reason !== undefined);
}

/** A stub whose last name Python forbids ends with the line that restores it. */
function endFact(recorded: RecordedStub, text: string): [string, unknown, unknown][] {
  const last = recorded.methods.at(-1)?.name ?? '';
  const bare = last.replace(/^r#/, '');
  const end = pythonSpelling(last) === bare ? endOf(recorded.ends_with) : `${bare}_\n\n`;
  return [['end', text.slice(-end.length), end]];
}

function methodDifference(
  recorded: RecordedStub['methods'][number],
  ours: ReadStub['methods'][number] | undefined,
): string | undefined {
  const counted = new Map<string, number>();
  const params = recorded.params.map(({ name, annotation }) => {
    const spelled = pythonSpelling(name);
    const count = (counted.get(spelled) ?? 0) + 1;
    counted.set(spelled, count);
    return [count === 1 ? spelled : `${spelled}${count}`, annotation];
  });
  const todos = recorded.params.map(({ todo }, index) => note(`parameter ${params[index]?.[0] ?? ''}`, todo));
  const notes = [
    ...(recorded.raw_note ? ['# (raw: bytes in, bytes out)'] : []),
    ...[...todos, note('result', recorded.returns.todo)].flat(),
  ];
  const comments = ours?.comments ?? [];
  const docs = comments.slice(0, comments.length - notes.length);
  const facts: [string, unknown, unknown][] = [
    ['decorated', ours?.decorated, recorded.decorated],
    ['parameters', ours?.params, params],
    ['returns', ours?.returns, recorded.returns.annotation],
    ['notes', comments.slice(docs.length), notes],
    // Only the first line of a block comment was a comment in the original's broken file.
    ['docs', docs.slice(0, recorded.docs.length), recorded.docs],
  ];
  const odd = facts.find(([, mine, theirs]) => !isDeepStrictEqual(mine, theirs));
  return odd && `${recorded.name}: ${odd[0]} ${JSON.stringify(odd[1])}, expected ${JSON.stringify(odd[2])}`;
}

function note(what: string, todo: Todo | null): string[] {
  return todo === null ? [] : [`# TODO: ${what}: ${todo.kind} ${todo.rust}`];
}

/** The rule for names that cannot be Python identifiers: `r#` goes, keywords get an underscore. */
function pythonSpelling(name: string): string {
  const bare = name.replace(/^r#/, '');
  return /^(?:False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/.test(
    bare,
  )
    ? `${bare}_`
    : bare;
}

/** The recorded end is a Python literal; only simple escapes occur in it. */
function endOf(literal: string): string {
  return literal.slice(1, -1).replaceAll('\\n', '\n');
}
