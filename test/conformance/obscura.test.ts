import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { caseName, readCases } from './obscura-cases.ts';
import { ObscuraCases } from './obscura.ts';

const directory = join(import.meta.dirname, '../../fixtures/conformance/obscura');

describe('obscura', () => {
  const cases = new ObscuraCases(directory);
  afterAll(() => cases.close());

  it.each(readCases(directory).map((recorded) => [caseName(recorded), recorded] as const))(
    '%s',
    async (_name, recorded) => {
      const { outcome, reason } = await cases.run(recorded);
      expect(outcome === 'skipped' ? 'skipped' : { outcome, reason }).toEqual(
        outcome === 'skipped' ? 'skipped' : { outcome: 'passed', reason: undefined },
      );
    },
  );
});
