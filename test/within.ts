/** How much slower than promised a loaded machine may be. */
const SLACK = 3;

/** Rejects when `work` does not settle within a promised bound, widened by one factor for loaded machines. */
export async function within<T>(promisedMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not settled within ${promisedMs} ms (times ${SLACK})`)),
      promisedMs * SLACK,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
