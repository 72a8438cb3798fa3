import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { caseName, readCases } from './obscura-cases.ts';
import { ObscuraCases } from './obscura.ts';

const directory = join(import.meta.dirname, '../../fixtures/conformance/obscura');

describe('obscura', () => {
  const cases = new ObscuraCases(directory);
  afterAll(() => cases.close());

  it.for(readCases(directory).map((recorded) => [caseName(recorded), recorded] as const))(
    '%s',
    async ([, recorded], { skip }) => {
      const { outcome, reason } = await cases.run(recorded);
      if (outcome === 'skipped') skip(reason);
      expect({ outcome, reason }).toEqual({ outcome: 'passed', reason: undefined });
    },
  );
});
