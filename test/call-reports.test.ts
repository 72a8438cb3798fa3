import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { CharmerError, type CallReport } from '../src/index.ts';
import { misbehave, root, testHost } from './test-host.ts';

async function failure(work: Promise<unknown>): Promise<CharmerError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CharmerError) return error;
  throw new Error('it did not fail with an error of ours', { cause: error });
}

describe('the report of a failed call', () => {
  it.each([
    ['PLUGIN_RAISED', 'sys_exit', [3]],
    ['ARGUMENT_INVALID', 'echo', [() => 1]],
    ['OPERATION_UNKNOWN', 'ecko', [1]],
    ['PLUGIN_EXITED', 'exit_now', [3]],
  ])('plugin.call() puts report, plugin and operation into %s without being asked', async (code, operation, args) => {
    const loaded = await testHost().load(misbehave);
    const { pid } = loaded;
    const error = await failure(loaded.call(operation, ...args));
    expect(error).toMatchObject({ code, plugin: 'misbehave', operation });
    expect(error.report).toMatchObject({ plugin: 'misbehave', operation, launcher: 'warm', pid });
  });

  it('plugin.call() gives every call its own error when one end of a process ends them all', async () => {
    const loaded = await testHost().load(misbehave);
    const reports: CallReport[] = [];
    const watched = loaded.with({ onReport: (report) => reports.push(report) });
    const [end, echo] = await Promise.all([failure(watched.call('exit_now', 3)), failure(watched.call('echo', 1))]);
    expect([echo.operation, end.operation]).toEqual(['echo', 'exit_now']);
    expect([echo.report, end.report]).toMatchObject([{ operation: 'echo' }, { operation: 'exit_now' }]);
    expect(reports).toHaveLength(2);
  });

  it('plugin.call() leaves the reason of an abort untouched, whatever it is', async () => {
    const loaded = await testHost().load(misbehave);
    const reason = new CharmerError('PLUGIN_RAISED', 'enough');
    const error = await failure(loaded.with({ signal: AbortSignal.abort(reason) }).call('echo', 1));
    expect(error).toBe(reason);
    expect(error.report).toBeUndefined();
  });

  it('host.on() hears the close of a plugin once, of any kind', async () => {
    const host = testHost();
    const closed: string[] = [];
    host.on('close', ({ plugin }) => closed.push(plugin));
    const resident = await host.load(misbehave);
    await host.load(join(root, 'examples/03-look-up-films/film-lookup'));
    await Promise.all([resident.close(), resident.close()]);
    await host.close();
    expect(closed).toEqual(['misbehave', 'film-lookup']);
  });
});
