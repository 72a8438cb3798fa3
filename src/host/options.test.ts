import { describe, expect, it } from 'vitest';

import { parseCallOptions } from '../plugin/call-options.ts';
import { EventHub } from './events.ts';
import { parseHostOptions } from './host-options.ts';
import { parseLoadOptions } from './load-options.ts';
import { parseSessionOptions } from './session-options.ts';

describe('options', () => {
  it.each([
    ['parseHostOptions()', () => parseHostOptions({ maxProcesses: 0 })],
    ['parseLoadOptions()', () => parseLoadOptions({ maxProcesses: Number.NaN })],
    ['parseLoadOptions() of bytes', () => parseLoadOptions({ maxOutputBytes: -1 })],
    ['parseCallOptions()', () => parseCallOptions({ concurrency: 0 })],
    ['parseCallOptions() of a chunk', () => parseCallOptions({ chunkSize: 1.5 })],
    ['parseHostOptions() of a limit', () => parseHostOptions({ limits: { memoryMb: 0 } })],
  ])('%s refuses a count for which every call would wait for good', (_, parse) => {
    expect(parse).toThrow(RangeError);
    expect(parse).toThrow(/must be a whole number above 0; got/);
  });

  it('parseSessionOptions() refuses a deadline that is none', () => {
    expect(() => parseSessionOptions({ nodeTimeoutMs: 0 })).toThrow(RangeError);
  });

  it('parseHostOptions() and parseLoadOptions() name the limit that a mistyped one is like', () => {
    const limits = { memoryMB: 64 } as never;
    expect(() => parseHostOptions({ limits })).toThrow(`Unknown limits option 'memoryMB'; did you mean 'memoryMb'?`);
    expect(() => parseLoadOptions({ limits })).toThrow(`did you mean 'memoryMb'?`);
  });

  it('parseHostOptions() wants a list of directories', () => {
    expect(() => parseHostOptions({ searchPath: './plugins' as never })).toThrow(
      `The host option searchPath must be a list of directories; got './plugins'`,
    );
  });

  it('EventHub.on() names the nearest event when there is none of that name', () => {
    expect(() => new EventHub().on('exitt' as 'exit', () => undefined)).toThrow(`Did you mean 'exit'?`);
  });
});
