import { parseBatchItems, type BatchItem, type BatchRow } from '../../index.ts';
import { callOptions, loadFrom, parseJson, parseNumber, readBytes } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { errorToJson } from '../io.ts';
import { renderValue } from '../render-value.ts';
import { openResume } from '../resume-file.ts';

/** Milliseconds between two lines of progress: fast enough to follow, slow enough to read. */
const PROGRESS_EVERY_MS = 500;

/** `charmer batch REF OPERATION FILE`. */
export const command: Command = {
  name: 'batch',
  summary: 'call an operation for many inputs: one JSON row per line, as they come',
  usage: '<ref> <operation> <file>',
  options: [
    ...callOptions.filter((option) => !/^--(input|raw)/.test(option.flags)),
    { flags: '--concurrency <n>', description: 'how many at once' },
    {
      flags: '--resume <file>',
      description: 'keep rows in a file as they come, and leave out items that it has results for',
    },
  ],
  examples: [
    'charmer batch ./film-lookup movieByName films.ndjson > found.ndjson',
    'charmer batch ./film-lookup movieByName films.ndjson --resume found.ndjson',
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const [reference = '', operation = '', file = ''] = context.args;
  const all = parseItems((await readBytes(file, context)).toString('utf8'), file);
  const kept = openResume(context.options['resume']);
  const items = all.filter(({ id }) => !kept.has(id));
  const plugin = await loadFrom(context, reference);
  const progress = followProgress(context, items.length);
  let failures = 0;
  const onRow = (row: BatchRow): void => {
    if (row.error !== undefined) failures += 1;
    const line = renderRow(row);
    context.io.out(`${line}\n`);
    kept.add(line);
    progress.step();
  };
  const { concurrency } = context.options;
  await plugin
    .with({ onRow, ...(typeof concurrency === 'string' && { concurrency: parseNumber(concurrency, '--concurrency') }) })
    .batch(operation, items);
  progress.end();
  kept.close();
  return failures === 0 ? EXIT.ok : EXIT.pluginError;
}

/** A JSON array, or one JSON value per line; each is an input or `{id, input}`. */
function parseItems(text: string, file: string): readonly BatchItem[] {
  return parseBatchItems(parseValues(text, file));
}

function parseValues(text: string, file: string): readonly unknown[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    const items: unknown = parseJson(trimmed, `'${file}'`);
    if (Array.isArray(items)) return items;
  }
  const lines = trimmed.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0)
    throw new UsageError(`'${file}' holds no items: a JSON array or one JSON value per line was expected`);
  return lines.map((line, index) => parseJson(line, `'${file}' line ${index + 1}`));
}

function renderRow(row: BatchRow): string {
  return renderValue(row.error === undefined ? row : { ...row, error: errorToJson(row.error) });
}

/** Count, rate and time left on a terminal; nothing elsewhere. */
function followProgress(context: CommandContext, total: number): { step(): void; end(): void } {
  const { io } = context;
  const begun = performance.now();
  let done = 0;
  let shown = begun;
  const line = (): string => {
    const seconds = (performance.now() - begun) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    return `${done}/${total}  ${rate.toFixed(1)}/s  ${Math.ceil((total - done) / Math.max(rate, 0.001))} s left`;
  };
  return {
    step: () => {
      done += 1;
      if (!io.isTerminal || performance.now() - shown < PROGRESS_EVERY_MS) return;
      shown = performance.now();
      io.err(`\r\u001b[K${io.color.dim(line())}`);
    },
    end: () => {
      if (io.isTerminal) io.err('\r\u001b[K');
    },
  };
}
