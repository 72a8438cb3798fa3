import { describe, expect, it } from 'vitest';

import { checkOptionNames, didYouMean, nearestName } from './nearest-name.ts';

describe('nearestName()', () => {
  it('nearestName() finds a name with a swapped or missing letter', () => {
    expect(nearestName('timeotMs', ['timeoutMs', 'signal'])).toBe('timeoutMs');
    expect(nearestName('Grete', ['greet', 'farewell'])).toBe('greet');
  });

  it('nearestName() gives nothing when every name is far', () => {
    expect(nearestName('zebra', ['greet', 'farewell'])).toBeUndefined();
    expect(didYouMean('zebra', [])).toBeUndefined();
  });

  it('checkOptionNames() names the nearest known option', () => {
    expect(() => checkOptionNames({ timoutMs: 1 }, ['timeoutMs', 'signal'], 'call')).toThrow(
      new TypeError(`Unknown call option 'timoutMs'; did you mean 'timeoutMs'?`),
    );
  });
});
