/**
 * Interrupts a model in the middle of its answer, and gets the next answer at once.
 *
 *     npx tsx examples/05-interrupt-an-answer/run.ts
 */
import { fileURLToPath } from 'node:url';

import { createHost } from 'charmer';

const TEXT_END = '<|text_end|>';

const host = createHost();
host.on('progress', ({ phase, message }) => console.log(`${phase}: ${message}`));
try {
  const session = await host.session(fileURLToPath(new URL('manifest.json', import.meta.url)));
  const teller = session.node('teller');
  const words = session[Symbol.asyncIterator]();

  await session.send('the history of bread');
  for (let heard = 0; heard < 4; heard += 1) console.log(await nextText());
  const interrupted = performance.now();
  await teller['barge_in']?.();
  let late = 0;
  while ((await nextText()) !== TEXT_END) late += 1;
  console.log(`interrupted: ${late} more words came, silent after ${(performance.now() - interrupted).toFixed(0)} ms`);

  await session.send('and of butter?');
  for (let word = await nextText(); word !== TEXT_END; word = await nextText()) console.log(word);
  await session.close();

  async function nextText(): Promise<string> {
    const { value } = await words.next();
    if (value?.data?.type !== 'text') throw value?.error ?? new Error('The pipeline ended');
    return value.data.data;
  }
} finally {
  await host.close();
}
