import { afterEach, describe, expect, it } from 'vitest';

import { closeRunner, loopDialect, openRunner, type OpenRunner, startRunner, type TestRunner } from './runner.case.ts';

let runner: TestRunner | undefined;
afterEach(async () => {
  await closeRunner(runner);
  runner = undefined;
});

async function open(...args: Parameters<typeof openRunner>): Promise<OpenRunner> {
  const opened = await openRunner(...args);
  runner = opened;
  return opened;
}

const dialects = [
  ['without an event loop', undefined],
  ['under an event loop', loopDialect],
] as const;

describe('the runner', () => {
  it('keeps its descriptors out of the reach of plugins', async () => {
    const { call } = await open();
    expect(await call('write_low_descriptors')).toEqual([]);
    expect(await call('add', 1, 1)).toBe(2);
  });

  it('lends plugins standard streams in UTF-8, an empty __main__ and a path without itself', async () => {
    const { call, printed } = await open({}, { open: { importLast: ['/last'] } });
    const facts = (await call('facts')) as { path: string[]; modules: string[] };
    expect(facts).toMatchObject({ argv: [''], main: [], exit: true, stdin: '', encoding: ['utf-8', 'utf-8'] });
    expect(facts.path[0]).toMatch(/fixtures\/wire\/plugin$/);
    expect(facts.path.at(-1)).toBe('/last');
    expect(facts.path.some((entry) => entry.endsWith('/runner') || entry.includes('site-packages'))).toBe(false);
    await call('say', 'grüße');
    await closeRunner(runner);
    expect(printed()).toBe('grüße\ngrüße\n');
  });

  it('grants the base interpreter’s site-packages when told to', async () => {
    const { call } = await open({}, { open: { sitePackages: { kind: 'base' } } });
    const { path } = (await call('facts')) as { path: string[] };
    expect(path.some((entry) => entry.endsWith('site-packages') || entry.endsWith('dist-packages'))).toBe(true);
  });

  it('grants an environment’s packages alone', async () => {
    const sitePackages = { kind: 'environment', directory: '/tmp', seesBase: false } as const;
    const { call } = await open({}, { open: { sitePackages } });
    const { path } = (await call('facts')) as { path: string[] };
    const packages = path.filter((entry) => entry.endsWith('site-packages'));
    expect(packages).toEqual([expect.stringMatching(/^\/tmp\/lib\/python3\.\d+\/site-packages$/)]);
  });

  it('ends a forked child that comes back into it, which never touches the wire', async () => {
    const { call } = await open();
    expect(await call('fork_and_return')).toEqual(['parent', 0]);
    expect(await call('fork_and_exit')).toBe(5);
    expect(await call('add', 1, 1)).toBe(2);
  });

  it('lets plugin code run a loop of its own while coroutines wait', async () => {
    const { call, conversation, slot } = await open();
    const stop = new AbortController();
    const waiting = conversation.call(slot('a_never'), [], { signal: stop.signal }).catch(() => 'stopped');
    expect(await call('run_own_loop')).toBe('own');
    stop.abort();
    expect(await waiting).toBe('stopped');
    expect(await call('run_own_loop')).toBe('own');
  });

  it('runs coroutines at the same time', async () => {
    for (const dialect of [undefined, loopDialect]) {
      const { call } = await open({}, dialect === undefined ? {} : { open: { dialect } });
      const meeting = [call('a_meet', 3), call('a_meet', 3), call('a_meet', 3)];
      expect(await Promise.all(meeting)).toEqual(['met', 'met', 'met']);
      await closeRunner(runner);
    }
  });

  it('exits 0 after the plugin’s clean-up when closed', async () => {
    for (const operation of ['close_by_printing', 'close_by_coroutine']) {
      const opened = await open();
      await opened.call(operation);
      opened.conversation.close();
      expect(await opened.exited).toEqual({ code: 0, signal: null });
      expect(opened.printed()).toMatch(/bye\n$/);
      expect(await opened.conversation.ended).toBeUndefined();
    }
  });

  it.each(dialects)('exits 0 after the clean-up when its input ends, %s', async (_, dialect) => {
    const opened = await open({}, dialect === undefined ? {} : { open: { dialect } });
    await opened.call('close_by_printing');
    opened.streams.input.end();
    expect(await opened.exited).toEqual({ code: 0, signal: null });
    expect(opened.printed()).toBe('bye\n');
  });

  it('exits within two seconds when the host is gone, whatever its code does', async () => {
    for (const operation of ['sleep', 'deaf_to_end']) {
      const opened = await open();
      const call = opened.call(operation).catch((error: unknown) => error);
      await opened.conversation.dump();
      const began = performance.now();
      for (const stream of Object.values(opened.streams)) (stream as { destroy(): void }).destroy();
      await opened.exited;
      expect(performance.now() - began).toBeLessThan(2000 * SLACK);
      opened.conversation.end(new Error('gone'));
      await call;
    }
  });

  it('exits although the plugin’s clean-up hangs', async () => {
    const opened = await open();
    await opened.call('close_by_hanging');
    opened.conversation.close();
    expect((await opened.exited).code).toBe(0);
  });

  it('settles what runs when it is closed: with HOST_CLOSED', async () => {
    const opened = await open();
    const call = opened.call('sleep').catch((error: unknown) => error);
    opened.conversation.close();
    expect(await call).toMatchObject({ code: 'HOST_CLOSED' });
    await expect(opened.call('add', 1, 1)).rejects.toMatchObject({ code: 'HOST_CLOSED' });
  });

  it('says why and exits 70 when it is sent garbage', async () => {
    const opened = await open();
    opened.streams.input.write('Content-Length: 12\r\n\r\n');
    expect(await opened.exited).toEqual({ code: 70, signal: null });
    expect(await opened.conversation.ended).toMatchObject({
      code: 'MESSAGE_UNEXPECTED',
      message: 'Frame has kind 101, expected 1 to 17',
    });
  });

  it('refuses a host of another protocol and says which side to update', async () => {
    runner = startRunner();
    await runner.conversation.hello();
    const hello = Buffer.from('{"protocol":2}');
    const head = Buffer.from([hello.length, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    runner.streams.input.write(Buffer.concat([head, hello]));
    expect(await runner.conversation.ended).toMatchObject({
      code: 'VERSION_MISMATCH',
      message: 'Host speaks protocol 2 and the runner speaks 1: update the runner',
    });
    expect((await runner.exited).code).toBe(70);
  });
});

// Shared machines are slow at times.
const SLACK = 3;
