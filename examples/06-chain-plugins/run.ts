/**
 * A pipeline over plugins of all three systems: an Obscura action, a Fidius method, a RemoteMedia node.
 *
 *     npx tsx examples/06-chain-plugins/run.ts
 */
import { fileURLToPath } from 'node:url';

import { createHost } from 'charmer';

const host = createHost();
try {
  const session = await host.session(fileURLToPath(new URL('manifest.json', import.meta.url)));
  for (const term of ['charmer', 'ferret', 'python']) await session.send({ term });
  await session.inputComplete();
  for await (const { node, turn, data, error } of session) {
    if (error !== undefined) console.log(`${turn}: ${node} says no: ${error.message}`);
    else if (data?.type === 'text') console.log(`${turn}: ${data.data}`);
  }
} finally {
  await host.close();
}
