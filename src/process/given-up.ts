/** A wait with three exits: done, timed out, given up by the caller. */

/** When to stop waiting. */
export interface WaitLimits {
  readonly signal?: AbortSignal | undefined;
  /** @default no limit */
  readonly timeoutMs?: number | undefined;
}

/**
 * Waits for `work` as long as the limits allow. The work itself goes on.
 *
 * @param timedOut Makes the error for a wait that took too long.
 * @throws the signal's reason, untouched
 */
export function untilGivenUp<T>(work: Promise<T>, limits: WaitLimits, timedOut: () => Error): Promise<T> {
  const { signal, timeoutMs } = limits;
  if (signal === undefined && timeoutMs === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => finish(() => reject(timedOut())), timeoutMs);
    const onAbort = (): void => finish(() => reject(signal?.reason));
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
