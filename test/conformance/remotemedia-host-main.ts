/** The program of `HostProcess`: one question per line of standard input, one answer per line of standard output. */
import { createInterface } from 'node:readline';

import { createHost, type PipelineSession } from '../../src/index.ts';

interface Question {
  readonly do: 'open' | 'run';
  readonly manifest: string | object;
  readonly text?: string;
}

const host = createHost({ cacheDir: process.argv[2] ?? '' });
const pids: number[] = [];
host.on('load', ({ pid }) => pid !== undefined && pids.push(pid));
let session: PipelineSession | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ value: await answer(JSON.parse(line) as Question) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await host.close();

async function answer(question: Question): Promise<unknown> {
  session ??= await host.session(question.manifest);
  if (question.do === 'open') return pids;
  await session.send(question.text ?? '');
  const output = await session.receive();
  if (output?.error !== undefined) throw output.error;
  return output?.data?.type === 'text' ? output.data.data : null;
}
