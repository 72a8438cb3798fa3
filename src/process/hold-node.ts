/** Longer than any teardown; the timer never fires, it only keeps Node alive. */
const LONG_MS = 2 ** 30;

/** Keeps Node alive until `work` settles: teardown waits for idle channels, which do not. */
export async function holdNode<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, LONG_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
