// The gate: every check of the project, one after the other, each with its own line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tools = join(root, '.tools', 'bin');
const env = { ...process.env, PATH: [join(root, 'node_modules', '.bin'), tools, process.env.PATH].join(delimiter) };

const steps = [
  ['format', 'prettier --check --log-level=warn . && ruff format --check --quiet runner src'],
  ['lint', 'eslint . && ruff check --quiet runner src'],
  ['types', 'tsc -p tsconfig.json --noEmit && mypy --no-error-summary'],
  ['build', 'tsc -p tsconfig.build.json'],
  ['layers', 'tsx tools/check-layers.ts'],
  ['errors', 'tsx tools/check-errors.ts'],
  ['sizes', 'tsx tools/check-sizes.ts'],
  ['package', 'tsx tools/check-package.ts'],
  ['docs', 'tsx tools/check-docs.ts'],
  ['python tests', 'node tools/test-python.mjs'],
  ['tests', 'vitest run'],
];

if (!existsSync(join(tools, process.platform === 'win32' ? 'ruff.exe' : 'ruff'))) {
  process.stderr.write('check: the Python tools are not installed; run "npm test" once, which brings them\n');
  process.exit(1);
}

const only = process.argv.slice(2);
const failed = [];
for (const [name, command] of steps) {
  if (only.length > 0 && !only.includes(name)) continue;
  const started = Date.now();
  const status = await run(command);
  process.stdout.write(
    `check: ${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`,
  );
  if (status !== 0) failed.push(name);
}
const total = only.length > 0 ? only.length : steps.length;
if (failed.length > 0) process.stdout.write(`check: failed: ${failed.join(', ')}\n`);
process.stdout.write(`${total - failed.length} passed, ${failed.length} failed\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

function run(command) {
  return new Promise((resolve) => {
    const child = spawn(command, { cwd: root, env, shell: true, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('close', (code) => resolve(code ?? 1));
  });
}
