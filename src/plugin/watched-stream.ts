import type { CallWatch } from './call-watch.ts';

/** How a stream is watched. */
export interface StreamWatch {
  readonly watch: CallWatch;
  /** Whether a caller may abort it. */
  readonly hasSignal: boolean;
  /** Until the first item, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Longest wait for a further item, in milliseconds; runs only while the consumer waits. */
  readonly idleTimeoutMs: number | undefined;
  readonly decode?: ((item: unknown) => unknown) | undefined;
}

/**
 * The items of a call under watch. Without deadlines the wire's own promises are handed on, so that a stream of small
 * items costs nothing more.
 */
export function watchedStream(
  items: AsyncIterableIterator<unknown>,
  options: StreamWatch,
): AsyncIterableIterator<unknown> {
  const { watch, hasSignal, timeoutMs, idleTimeoutMs, decode } = options;
  if (hasSignal || timeoutMs !== undefined || idleTimeoutMs !== undefined || decode !== undefined)
    return timedItems(items, options);
  return {
    next: () => items.next(),
    return: async () => {
      watch.leave();
      await items.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Nothing is armed while the consumer is busy with an item. */
async function* timedItems(
  items: AsyncIterableIterator<unknown>,
  options: StreamWatch,
): AsyncGenerator<unknown, void, undefined> {
  const { watch, timeoutMs, idleTimeoutMs, decode } = options;
  let isFirst = true;
  let isOver = false;
  try {
    for (;;) {
      if (isFirst && timeoutMs !== undefined) watch.arm(timeoutMs, 'first item');
      else watch.arm(idleTimeoutMs, 'idle');
      const next = await items.next();
      watch.disarm();
      isFirst = false;
      if (next.done === true) {
        isOver = true;
        return;
      }
      yield decode === undefined ? next.value : decode(next.value);
    }
  } catch (error) {
    isOver = true;
    throw error;
  } finally {
    if (isOver) {
      watch.answered();
    } else {
      watch.leave();
      await items.return?.();
    }
  }
}
