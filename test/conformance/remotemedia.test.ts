import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { readCases } from './remotemedia.ts';
import { Workshop } from './remotemedia-workshop.ts';

const directory = join(import.meta.dirname, '../../fixtures/conformance/remotemedia');

describe('remotemedia', () => {
  const workshop = new Workshop(directory);
  afterAll(() => workshop.close());

  it.each(readCases(directory).map((recorded) => [recorded.id, recorded] as const))(
    '%s',
    async (_name, recorded) => {
      const { outcome, reason } = await workshop.run(recorded);
      expect(outcome === 'skipped' ? 'skipped' : { outcome, reason }).toEqual(
        outcome === 'skipped' ? 'skipped' : { outcome: 'passed', reason: undefined },
      );
    },
    400_000,
  );
});
