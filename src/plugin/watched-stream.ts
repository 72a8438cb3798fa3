import type { CallWatch } from './call-watch.ts';

/** How a stream is watched. */
export interface StreamWatch {
  readonly watch: CallWatch;
  /** Until the first item, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Longest wait for a further item, in milliseconds; runs only while the consumer waits. */
  readonly idleTimeoutMs: number | undefined;
  readonly decode?: ((item: unknown) => unknown) | undefined;
}

/**
 * The items of a call under watch. Without deadlines the wire's own iterator is handed on, so that a stream of small
 * items costs no further promise.
 */
export function watchedStream(
  items: AsyncIterableIterator<unknown>,
  options: StreamWatch,
): AsyncIterableIterator<unknown> {
  const { timeoutMs, idleTimeoutMs, decode } = options;
  if (timeoutMs === undefined && idleTimeoutMs === undefined && decode === undefined) return items;
  return timedItems(items, options);
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
    watch.disarm();
    if (!isOver) await items.return?.();
  }
}
