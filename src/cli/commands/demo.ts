import { fileURLToPath } from 'node:url';

import { PluginError, type Host } from '../../index.ts';
import type { Command, CommandContext } from '../command.ts';
import { startFilmServer } from '../demo/film-server.ts';
import { EXIT } from '../exit-code.ts';
import { renderValue } from '../render-value.ts';

// `src/cli/commands` and `dist/cli/commands` are equally deep.
const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

/** `charmer demo`. */
export const command: Command = {
  name: 'demo',
  summary: 'run one plugin of each format end to end and say what happened',
  usage: '',
  options: [],
  examples: ['charmer demo'],
  run,
};

/** What a step of the demonstration tells. */
interface Step {
  readonly what: string;
  readonly answer: string;
  readonly ms: number;
}

async function run(context: CommandContext): Promise<number> {
  await showPipeline(context);
  await showMethods(context);
  await showLookup(context);
  return EXIT.ok;
}

/** A RemoteMedia node in a pipeline: one process for the session. */
async function showPipeline(context: CommandContext): Promise<void> {
  const host = context.host();
  let pid: number | undefined;
  host.on('load', (event) => (pid = event.pid));
  const begun = performance.now();
  const session = await host.session(`${EXAMPLES}01-run-a-pipeline/echo-python-source/manifest.json`);
  const started = performance.now() - begun;
  const outputs = session[Symbol.asyncIterator]();
  const turn = async (text: string): Promise<Step> => {
    const asked = performance.now();
    await session.send({ type: 'text', data: text });
    const { value } = await outputs.next();
    return { what: `send ${renderValue(text)}`, answer: renderValue(value?.data), ms: performance.now() - asked };
  };
  const first = await turn('hi');
  const next = await turn('hello again');
  await session.close();
  tell(context, {
    title: 'RemoteMedia source plugin',
    loaded: 'echo-python-source, node EchoPythonNode',
    where: `pid ${pid ?? '?'}, for the whole session`,
    started,
    steps: [first, next],
  });
}

/** A Fidius package found by name on the search path: one process that answers many calls. */
async function showMethods(context: CommandContext): Promise<void> {
  const host = context.host({ searchPath: [`${EXAMPLES}02-call-a-method`] });
  const begun = performance.now();
  const greeter = await host.load('my-greeter');
  const started = performance.now() - begun;
  const greet = (name: string): Promise<Step> =>
    timed(`greet(${renderValue(name)})`, () => greeter.call('greet', name));
  const steps = [await greet('World'), await greet('Rachael'), await greet('')];
  tell(context, {
    title: 'Fidius package',
    loaded: `${greeter.id} ${greeter.spec.version}, interface hash ${String(greeter.facts['interfaceHash'] ?? '')}`,
    where: `pid ${greeter.pid ?? '?'}, for all calls`,
    started,
    steps,
  });
}

/** An Obscura plugin: a fresh process per call, against a small film server on this machine. */
async function showLookup(context: CommandContext): Promise<void> {
  const server = await startFilmServer(`${EXAMPLES}03-look-up-films/catalogue.json`);
  try {
    const host: Host = context.host({ env: { TMDB_BASE_URL: server.url } });
    const begun = performance.now();
    const films = await host.load(`${EXAMPLES}03-look-up-films/film-lookup`, { auth: { TMDB_API_KEY: 'demo-key' } });
    const started = performance.now() - begun;
    const pids: number[] = [];
    const watched = films.with({ onReport: ({ pid }) => pid !== undefined && pids.push(pid) });
    const steps = [
      await timed('movieByName {"title":"Blade Runner"}', () => watched.call('movieByName', { title: 'Blade Runner' })),
      await timed('batch of "Blade Runner" and a miss', () =>
        watched.batch('movieByName', [{ title: 'Blade Runner' }, { title: 'No Such Film' }]),
      ),
      await timed('movieByName without the key', () =>
        watched.with({ auth: {} }).call('movieByName', { title: 'Blade Runner' }),
      ),
    ];
    tell(context, {
      title: 'Obscura plugin',
      loaded: `${films.id} ${films.spec.version}`,
      where: `a fresh process per call: pids ${pids.join(', ')}`,
      started,
      steps,
    });
  } finally {
    await server.close();
  }
}

async function timed(what: string, work: () => Promise<unknown>): Promise<Step> {
  const begun = performance.now();
  const answer = await work().then(renderValue, (error: unknown) => {
    if (!(error instanceof PluginError)) throw error;
    return `the plugin says no: ${error.pluginCode}: ${error.message}`;
  });
  return { what, answer, ms: performance.now() - begun };
}

function tell(
  { io }: CommandContext,
  shown: { title: string; loaded: string; where: string; started: number; steps: readonly Step[] },
): void {
  const { bold, dim } = io.color;
  io.out(
    `${bold(shown.title)}\n  loaded  ${shown.loaded}\n  ran in  ${shown.where}\n  ready   after ${shown.started.toFixed(1)} ms\n`,
  );
  shown.steps.forEach(({ what, answer, ms }, index) => {
    io.out(`  ${index === 0 ? 'first ' : 'next  '}  ${what} ${dim(`(${ms.toFixed(1)} ms)`)}\n          ${answer}\n`);
  });
  io.out('\n');
}
