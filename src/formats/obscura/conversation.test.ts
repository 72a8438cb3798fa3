import { describe, expect, it } from 'vitest';

import { CallError } from '../../errors.ts';
import type { PluginSpec } from '../../plugin-spec.ts';
import type { OneShotCall } from '../format.ts';
import { conversation } from './conversation.ts';

const SPEC: PluginSpec = {
  format: 'obscura',
  directory: '/p',
  id: 'p',
  title: 'P',
  version: '1',
  python: { requirements: [], importFirst: [], importLast: [], seesBaseSitePackages: true },
  secrets: [],
  opening: {},
  manifest: {},
  findings: [],
};
const SINGLE: OneShotCall = { operation: 'videoByName', mode: 'single', auth: {}, strict: false };
const BATCH: OneShotCall = {
  ...SINGLE,
  mode: 'batch',
  items: [
    { id: 'a', input: {} },
    { id: 'b', input: {} },
  ],
};

const reply = (stdout: string | Uint8Array, exitCode: number | null = 0, signal: string | null = null) => ({
  stdout: typeof stdout === 'string' ? new TextEncoder().encode(stdout) : stdout,
  exitCode,
  signal,
});
const encode = (call: Partial<OneShotCall>) =>
  new TextDecoder().decode(conversation.encodeCall(SPEC, { ...SINGLE, ...call }));
const decode = (call: OneShotCall, ...given: Parameters<typeof reply>) =>
  conversation.decodeReply(SPEC, call, reply(...given));
const value = (call: OneShotCall, stdout: string) => {
  const verdict = decode(call, stdout);
  return verdict.ok ? verdict.value : verdict.failure;
};
const kinds = (call: OneShotCall, stdout: string) => decode(call, stdout).diagnostics.map(({ kind }) => kind);

describe('conversation.encodeCall()', () => {
  it.each<[Partial<OneShotCall>, string]>([
    [{}, '{"obscura_version":1,"action":"videoByName","auth":{},"input":{}}'],
    [
      { input: { t: 'é\ud800', u: undefined, n: null } },
      '{"obscura_version":1,"action":"videoByName","auth":{},"input":{"t":"é\\ud800","n":null}}',
    ],
    [{ mode: 'batch' }, '{"obscura_version":1,"action":"videoByName","auth":{},"batch":[]}'],
    [
      { config: { envelopeKey: 'prismedia_version' } },
      '{"prismedia_version":1,"action":"videoByName","auth":{},"input":{}}',
    ],
  ])('writes %j as %s (O13, O14, O16, O48)', (call, text) => {
    expect(encode(call)).toBe(text);
  });

  it('refuses what JSON cannot hold with ARGUMENT_INVALID and keeps the cause', () => {
    let caught: unknown;
    try {
      encode({ input: { n: 1n } });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(CallError);
    expect(caught).toMatchObject({ code: 'ARGUMENT_INVALID', cause: expect.any(TypeError) });
  });

  it('refuses a configuration of an unknown name and names the nearest', () => {
    expect(() => encode({ config: { envelopKey: 'x' } })).toThrow(
      "Unknown configuration 'envelopKey'; known is 'envelopeKey'",
    );
  });
});

describe('conversation.decodeReply()', () => {
  it.each<[string, unknown]>([
    ['', null],
    ['\uFEFF null \n', null],
    ['{"ok":true,"result":0}', 0],
    ['{"result":1}', 1],
    ['{"ok":"false","error":"x","result":2}', 2],
    ['{"ok":false,"result":3}', 3],
    ['5', null],
    ['{"ok":true,"result":1e400}', Infinity],
    ['{"ok":false,"error":"boom"}', { kind: 'plugin', message: 'boom' }],
    ['{"error":["a","b"]}', { kind: 'plugin', message: 'a,b' }],
    ['{"error":{"code":429}}', { kind: 'plugin', message: '{"code":429}' }],
    ['{"error":true}', { kind: 'plugin', message: 'true' }],
  ])('judges %j as the original does, errors that are objects written out (O18, O22, O30, W12)', (stdout, expected) => {
    expect(value(SINGLE, stdout)).toEqual(expected);
  });

  it.each<[OneShotCall, string, string[]]>([
    [SINGLE, '{"ok":false}', ['not-ok-without-error']],
    [SINGLE, '{"result":1}', []],
    [SINGLE, '[]', ['reply-not-object']],
    [SINGLE, '{"ok":true,"results":[]}', ['batch-reply-to-single']],
    [BATCH, '{"ok":true,"result":1}', ['single-reply-to-batch']],
    [BATCH, '{"ok":true,"results":0}', ['results-not-list']],
    [
      BATCH,
      '{"ok":true,"results":[7,{"id":"z"},{"id":1},{"id":"a"},{"id":"a"}]}',
      ['row-not-object', 'unknown-id', 'duplicate-id', 'rows-missing'],
    ],
    [BATCH, '{"ok":true}', []],
  ])('tells what is odd beside the value (W11, W13, W14): %j %s', (call, stdout, expected) => {
    expect(kinds(call, stdout)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    [
      '',
      [
        { id: 'a', result: null },
        { id: 'b', result: null },
      ],
    ],
    [
      '{"results":[{"id":"b","result":2},{"id":"a"}]}',
      [
        { id: 'a', result: null },
        { id: 'b', result: 2 },
      ],
    ],
    [
      '{"results":[{"id":"b","error":"no"}]}',
      [
        { id: 'a', result: null, missing: true },
        { id: 'b', result: null, error: 'no' },
      ],
    ],
    [
      '[1]',
      [
        { id: 'a', result: null, missing: true },
        { id: 'b', result: null, missing: true },
      ],
    ],
  ])('gives one row per item in the order of the items for %j (O19, O29, W14)', (stdout, rows) => {
    expect(value(BATCH, stdout)).toEqual(rows);
  });

  it('gives items that share an id its rows in turn (W14)', () => {
    const call = {
      ...BATCH,
      items: [
        { id: 'a', input: 1 },
        { id: 'a', input: 2 },
        { id: 'a', input: 3 },
      ],
    };
    expect(value(call, '{"results":[{"id":"a","result":1},{"id":"a","result":2}]}')).toEqual([
      { id: 'a', result: 1 },
      { id: 'a', result: 2 },
      { id: 'a', result: null, missing: true },
    ]);
  });

  it.each<[OneShotCall, string, unknown]>([
    [{ ...BATCH, strict: true }, '{"results":{"a":1}}', { a: 1 }],
    [{ ...BATCH, strict: true }, '{"results":[{"id":"zz"},7]}', [{ id: 'zz' }, 7]],
    [
      { ...BATCH, strict: true },
      '{"result":1}',
      [
        { id: 'a', result: null },
        { id: 'b', result: null },
      ],
    ],
    [{ ...SINGLE, strict: true }, '{"error":{"code":1}}', { kind: 'plugin', message: '[object Object]' }],
  ])('keeps the original’s verdict for a strict call: %j %s', (call, stdout, expected) => {
    expect(value(call, stdout)).toEqual(expected);
  });

  it('judges the exit status before the output, and keeps what the plugin said (O21, O49, W9)', () => {
    const said = '{"ok":false,"error":"quota"}';
    expect(decode(SINGLE, said, 1)).toMatchObject({
      failure: { kind: 'exit', message: 'Plugin exited with code 1: quota' },
    });
    expect(decode({ ...SINGLE, strict: true }, said, 1)).toMatchObject({
      failure: { message: 'Plugin exited with code 1' },
    });
    expect(decode(BATCH, '{"ok":true}', 2)).toMatchObject({ failure: { message: 'Plugin batch exited with code 2' } });
  });

  it('names the signal in a field and keeps the original’s text (W10)', () => {
    const verdict = decode(SINGLE, '', null, 'SIGKILL');
    expect(verdict).toMatchObject({
      failure: { message: 'Plugin exited with code unknown', details: { signal: 'SIGKILL' } },
    });
  });

  it('takes status 69 for 0 (O20)', () => {
    expect(decode(SINGLE, '{"result":1}', 69)).toMatchObject({ ok: true, value: 1 });
  });

  it.each([
    ['{"ok":true,"result":NaN}', 20, 'NaN', /allow_nan=False/],
    ['None', 0, 'None', /json\.dumps/],
    ["{'ok': True}", 1, "'", /json\.dumps/],
    ['log line\n{"ok":true}', 0, 'log', /before the reply/],
    ['  {"ok":true}\nbye', 14, 'bye', /after the reply/],
    ['{"ok":true', 10, '', undefined],
    ['{"a":1,}', 7, '}', undefined],
    ['{"a":"x\ny"}', 7, '\n', undefined],
    ['\u0085{}', 0, '\u0085', /before the reply/],
  ])('says where and at which token %j stops being a reply (W36, W37, O51)', (stdout, offset, token, hint) => {
    const verdict = decode(SINGLE, stdout);
    if (verdict.ok) throw new Error('expected a failure');
    expect(verdict.failure).toMatchObject({
      kind: 'parse',
      message: `Failed to parse plugin output: ${stdout.trim()}`,
      offset,
    });
    expect(verdict.failure.details?.['token']).toBe(token);
    if (hint === undefined) expect(verdict.failure.details).not.toHaveProperty('hint');
    else expect(verdict.failure.details?.['hint']).toMatch(hint);
  });

  it('quotes 200 UTF-16 units even where that halves a character (O52)', () => {
    const verdict = decode(SINGLE, `${'x'.repeat(199)}😀`);
    if (verdict.ok) throw new Error('expected a failure');
    expect(verdict.failure.message).toBe(`Failed to parse plugin output: ${'x'.repeat(199)}\ud83d`);
  });

  it('reads what the configuration allows (W36, W37, W11)', () => {
    const config = (given: OneShotCall['config']) => ({ ...SINGLE, config: given });
    expect(value(config({ nonFinite: 'null' }), '{"result":[NaN,-Infinity]}')).toEqual([null, null]);
    expect(value(config({ bigIntegers: 'bigint' }), '{"result":[12345678901234567890,1]}')).toEqual([
      12345678901234567890n,
      1,
    ]);
    expect(value(config({ lastLineAlone: true }), 'log\n{"ok":true,"result":1}\n')).toBe(1);
    expect(kinds(config({ lastLineAlone: true }), 'log\n{"ok":true,"result":1}\n')).toEqual(['stray-output']);
    expect(value(config({ lastLineAlone: true }), 'log\n5')).toMatchObject({ kind: 'parse' });
    expect(value(config({ notOk: 'error' }), '{"ok":false}')).toMatchObject({ kind: 'plugin' });
  });

  it('replaces bad UTF-8 by one U+FFFD per maximal bad part (O18)', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"result":"'),
      Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80]),
      Buffer.from('"}'),
    ]);
    const verdict = decode(SINGLE, bytes);
    expect(verdict).toMatchObject({ ok: true, value: '\uFFFD'.repeat(5) });
  });

  it('keeps secrets out of every text, and leaves the result alone (W30)', () => {
    const call = { ...SINGLE, auth: { KEY: 'sk-4f9a71c3' } };
    expect(JSON.stringify(decode(call, '{"error":"bad sk-4f9a71c3"}'))).not.toContain('sk-4f9a71c3');
    expect(JSON.stringify(decode(call, `${'x'.repeat(195)}sk-4f9a71c3`))).not.toContain('sk-4f');
    expect(JSON.stringify(decode(call, '{"error":"sk-4f9a71c3"}', 1))).not.toContain('sk-4f9a71c3');
    expect(value(call, '{"result":"sk-4f9a71c3"}')).toBe('sk-4f9a71c3');
  });

  it('tells of missing keys and siblings beside every verdict (W28, §3.1)', () => {
    const spec: PluginSpec = {
      ...SPEC,
      secrets: [{ key: 'K', label: 'K', isRequired: true }],
      findings: [
        {
          severity: 'warning',
          file: 'manifest.yml',
          key: 'requires.0',
          message: "The required sibling 'x' is not installed",
        },
      ],
    };
    for (const exitCode of [0, 1]) {
      const { diagnostics } = conversation.decodeReply(spec, SINGLE, reply('{}', exitCode));
      expect(diagnostics.map(({ kind }) => kind)).toEqual(['auth-missing', 'sibling-missing']);
    }
  });

  it('keeps the promised deadlines (O24)', () => {
    expect(conversation.defaultTimeoutMs).toEqual({ single: 30_000, batch: 60_000 });
  });
});
