import { createInterface } from 'node:readline';

import { hostOptionsFrom, list, parseJson } from '../call-input.ts';
import type { Command, CommandContext } from '../command.ts';
import { EXIT, exitCodeFor } from '../exit-code.ts';
import { renderError } from '../io.ts';
import { renderValue } from '../render-value.ts';

/** `charmer run MANIFEST`. */
export const command: Command = {
  name: 'run',
  summary: 'run a pipeline: inputs as JSON, outputs one a line in the order of their arrival',
  usage: '<manifest>',
  options: [
    {
      flags: '--input <json>',
      description: 'an input; without any, one JSON value per line of standard input',
      isRepeatable: true,
    },
    { flags: '--base-dir <dir>', description: 'what relative plugin paths are relative to' },
    { flags: '--python <path>', description: 'interpreter to use' },
    { flags: '--env <name[=value]>', description: 'grant plugins a variable, or pass on your own', isRepeatable: true },
  ],
  examples: [`charmer run manifest.json --input '{"type":"text","data":"hi"}'`],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { args, options, io, signal } = context;
  const host = context.host(hostOptionsFrom(context));
  const { baseDir } = options;
  const session = await host.session(args[0] ?? '', { signal, ...(typeof baseDir === 'string' && { baseDir }) });
  // Ctrl-C ends the session, which ends the loop.
  const stop = (): void => void session.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const feeding = feed(context, (input) => session.send(input)).finally(() => session.inputComplete());
    // What came before an input that cannot be read is answered first; then the error is told.
    feeding.catch(() => undefined);
    let code: number = EXIT.ok;
    for await (const { node, turn, data, error } of session) {
      if (error === undefined) io.out(`${renderValue({ node, turn, data })}\n`);
      else {
        io.err(renderError(error, io));
        code = exitCodeFor(error);
      }
    }
    signal.throwIfAborted();
    await feeding;
    return code;
  } finally {
    signal.removeEventListener('abort', stop);
    await session.close();
  }
}

async function feed(context: CommandContext, send: (input: unknown) => Promise<unknown>): Promise<void> {
  const inputs = list(context.options['input']);
  if (inputs.length > 0) {
    for (const input of inputs) await send(parseJson(input, '--input'));
    return;
  }
  for await (const line of createInterface({ input: context.io.stdin, signal: context.signal })) {
    if (line.trim() !== '') await send(parseJson(line, 'a line of standard input'));
  }
}
