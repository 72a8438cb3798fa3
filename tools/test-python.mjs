// Runs the Python tests on every CPython from 3.9 up that the machine has, and says which.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const suites = [
  ['runner', 'runner/tests', 'runner'],
  ['fidius', 'src/formats/fidius/python/tests', 'src/formats/fidius/python'],
  ['remotemedia', 'src/formats/remotemedia/python/tests', 'src/formats/remotemedia/python'],
].filter(([, directory]) => existsSync(join(root, directory)));

let failures = 0;
const interpreters = findInterpreters();
for (const [version, path] of interpreters) {
  for (const [name, directory, top] of suites) {
    const run = spawnSync(path, ['-m', 'unittest', 'discover', '-s', directory], {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONPATH: [join(root, 'runner'), join(root, top)].join(delimiter),
      },
    });
    const summary = `${run.stdout}${run.stderr}`.trim().split('\n');
    const count = summary.find((line) => line.startsWith('Ran '));
    process.stdout.write(`python ${version}: ${name}: ${count ?? 'nothing ran'}, ${summary.at(-1)}\n`);
    if (run.status !== 0) {
      failures += 1;
      process.stdout.write(`${run.stdout}${run.stderr}\n`);
    }
  }
}
process.exitCode = failures > 0 || interpreters.size === 0 ? 1 : 0;

/** Version → path of every distinct CPython from 3.9 up: on PATH and among pyenv's versions. */
function findInterpreters() {
  const candidates = ['python3', 'python', ...[9, 10, 11, 12, 13, 14].map((minor) => `python3.${minor}`)];
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  if (existsSync(versions))
    candidates.push(...readdirSync(versions).map((name) => join(versions, name, 'bin', 'python3')));
  const found = new Map();
  for (const candidate of candidates) {
    const answer = spawnSync(
      candidate,
      [
        '-I',
        '-S',
        '-c',
        'import sys; print(sys.version.split()[0]); print(sys.executable); print(sys.implementation.name)',
      ],
      {
        encoding: 'utf8',
      },
    );
    if (answer.error || answer.status !== 0) continue;
    const [version, path, implementation] = answer.stdout.trim().split(/\r?\n/);
    const minor = version.split('.').slice(0, 2).join('.');
    const isNewEnough = Number(version.split('.')[0]) === 3 && Number(version.split('.')[1]) >= 9;
    if (implementation === 'cpython' && isNewEnough && !found.has(minor)) found.set(minor, path);
  }
  return found;
}
