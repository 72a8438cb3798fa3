import { describe, expect, it } from 'vitest';

import { createSecretBox } from './sealed-value.ts';
import { authStatus, openSecrets, type SecretState } from './stored-secrets.ts';

describe('openSecrets()', () => {
  const box = createSecretBox('a secret');

  it('gives the values that can be opened and the state of all (O34, W29)', async () => {
    const stored = [
      { key: 'A', sealed: await box.seal('1') },
      { key: 'B', sealed: 'broken' },
      { key: 'EXTRA', sealed: await box.seal('2') },
    ];
    expect(await openSecrets(stored, box)).toEqual({
      values: { A: '1', EXTRA: '2' },
      states: { A: 'ok', B: 'undecryptable', EXTRA: 'ok' },
    });
    expect((await openSecrets(stored, box, ['A', 'B'])).values).toEqual({ A: '1' });
  });

  it('opens nothing without a box', async () => {
    const stored = [{ key: 'A', sealed: await box.seal('1') }];
    expect(await openSecrets(stored, undefined)).toEqual({ values: {}, states: { A: 'undecryptable' } });
  });
});

describe('authStatus()', () => {
  const field = (key: string, isRequired = true) => ({ key, isRequired });

  it.each<[ReturnType<typeof field>[], Record<string, SecretState>, ReturnType<typeof authStatus>]>([
    [[], {}, null],
    [[field('A', false)], {}, 'ok'],
    [[field('A')], {}, 'missing'],
    [[field('A'), field('B', false)], { B: 'ok' }, 'missing'],
    [[field('A'), field('B')], { A: 'ok' }, 'missing'],
    [[field('A'), field('B')], { A: 'ok', B: 'ok' }, 'ok'],
    [[field('A')], { A: 'undecryptable' }, 'undecryptable'],
    [[field('A')], { A: 'ok', OTHER: 'undecryptable' }, 'ok'],
  ])('of fields %j and states %j is %s (O36, W29)', (fields, states, status) => {
    expect(authStatus(fields, states)).toBe(status);
  });
});
