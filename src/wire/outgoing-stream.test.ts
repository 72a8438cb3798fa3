import { describe, expect, it } from 'vitest';

import { isProducer, OutgoingStream } from './outgoing-stream.ts';

/** A target that notes what it is given. */
function opened(producer: Iterable<unknown> | AsyncIterable<unknown>) {
  const sent: string[] = [];
  const stream = new OutgoingStream(producer, {
    item: (payload, isBatch) => {
      sent.push(`${isBatch ? 'batch ' : ''}${'text' in payload ? payload.text : 'parts'}`);
    },
    end: () => sent.push('end'),
    fail: ({ code, message }) => sent.push(`${code} ${message}`),
  });
  return { stream, sent };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('OutgoingStream', () => {
  it('pulls nothing without credit, and then no more than it allows', async () => {
    let pulled = 0;
    const { stream, sent } = opened(
      (async function* () {
        for (;;) yield ++pulled;
      })(),
    );
    await turn();
    expect([pulled, sent]).toEqual([0, []]);
    stream.addCredit(3, 0);
    await turn();
    expect([pulled, sent]).toEqual([3, ['batch [1,2,3]']]);
    stream.addCredit(1, 0);
    await turn();
    expect([pulled, sent]).toEqual([4, ['batch [1,2,3]', '4']]);
  });

  it('sends items that need tags by themselves, in their place', async () => {
    const { stream, sent } = opened([1, 2, 3n, Uint8Array.of(1), 4]);
    stream.addCredit(10, 0);
    await turn();
    expect(sent).toEqual(['batch [1,2]', '{"$int":"3"}', 'parts', '4', 'end']);
  });

  it('waits for credit for bytes, but one item may be of any size', async () => {
    const large = 'x'.repeat(5 << 20);
    const { stream, sent } = opened([large, 'small'].values());
    stream.addCredit(10, 0);
    await turn();
    expect(sent.map(({ length }) => length)).toEqual([large.length + 2]);
    stream.addCredit(0, large.length + 2);
    await turn();
    expect(sent.slice(1)).toEqual(['"small"', 'end']);
  });

  it('lets its producer clean up when it is stopped, once, also in the middle of a pull', async () => {
    let returned = 0;
    let arrive: (() => void) | undefined;
    const producer: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve) => {
            arrive = () => {
              resolve({ value: 1, done: false });
            };
          }),
        return: async () => {
          returned++;
          return { value: undefined, done: true };
        },
      }),
    };
    const { stream, sent } = opened(producer);
    stream.addCredit(1, 0);
    stream.stop();
    stream.stop();
    arrive?.();
    await turn();
    expect([returned, sent]).toEqual([1, []]);
  });

  it('tells of what its producer throws after the items before it', async () => {
    const { stream, sent } = opened(
      (function* () {
        yield 1;
        throw new TypeError('dry');
      })(),
    );
    stream.addCredit(5, 0);
    await turn();
    expect(sent).toEqual(['1', 'HOST_FAILED dry']);
    expect(stream.failure?.error).toBeInstanceOf(TypeError);
  });

  it('lets its producer clean up when an item cannot cross', async () => {
    let isClean = false;
    const { stream, sent } = opened(
      (function* () {
        try {
          for (;;) yield new Date(0);
        } finally {
          isClean = true;
        }
      })(),
    );
    stream.addCredit(5, 0);
    await turn();
    expect(sent).toEqual(["ARGUMENT_INVALID 'item' is of type 'Date', expected a JSON value, bigint or Uint8Array"]);
    expect(isClean).toBe(true);
  });
});

describe('isProducer()', () => {
  it('knows iterators and iterables from values', () => {
    const yes = [[1].values(), (function* () {})(), (async function* () {})(), new Set([1]).values()];
    const no = [[1], 'text', new Uint8Array(1), Buffer.alloc(1), new Map(), new Set(), {}, null, 1, undefined];
    expect(yes.map(isProducer)).toEqual([true, true, true, true]);
    expect(no.map(isProducer)).toEqual(no.map(() => false));
  });
});
