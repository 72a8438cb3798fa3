// Brings what a fresh clone lacks: npm packages, the compiled library and, for development, the Python tools.
// Plain JavaScript without imports beyond Node's own, since nothing is installed when it starts.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isDevelopment = process.argv.includes('--development');

checkNode();
const python = findPython();
installPackages();
build();
if (isDevelopment) installPythonTools(python);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is too old: Charmer needs Node 20.19 or later.`,
    'Install a newer Node from https://nodejs.org.',
  );
}

function findPython() {
  const seen = [];
  for (const name of process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python']) {
    const answer = spawnSync(name, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)'], {
      encoding: 'utf8',
    });
    if (answer.error || answer.status !== 0) {
      seen.push(`${name}: not there`);
      continue;
    }
    const [version, executable] = answer.stdout.trim().split(/\r?\n/);
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && minor >= 9) return executable;
    seen.push(`${name}: Python ${version}, too old`);
  }
  return fail(
    `No Python 3.9 or later on PATH (${seen.join('; ')}).`,
    'Install Python 3.9 or later, for example with "apt-get install python3".',
  );
}

function installPackages() {
  runOnce('npm', ['package-lock.json', 'package.json'], 'node_modules', () => {
    say('Installing npm packages');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  });
}

function build() {
  say('Compiling');
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
}

function installPythonTools(python) {
  const venv = join(root, '.tools', 'venv');
  runOnce('python', ['tools/requirements.txt', 'tools/setup.mjs'], join('.tools', 'bin'), () => {
    say('Installing the Python tools');
    rmSync(venv, { recursive: true, force: true });
    const made = spawnSync(python, ['-m', 'venv', venv], { encoding: 'utf8' });
    if (made.status !== 0) {
      fail(
        `"${python} -m venv" failed: ${made.stdout}${made.stderr}`,
        'On Debian, "apt-get install python3-venv" brings what is missing.',
      );
    }
    run(toolPath(venv, 'python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      'tools/requirements.txt',
    ]);
    linkTools(venv);
  });
}

/** The tools alone on a PATH: the environment's `python3` beside them would pass for the machine's. */
function linkTools(venv) {
  const bin = join(root, '.tools', 'bin');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  for (const name of ['ruff', 'mypy', 'uv']) {
    const tool = toolPath(venv, name);
    if (process.platform === 'win32') copyFileSync(tool, join(bin, `${name}.exe`));
    else symlinkSync(tool, join(bin, name));
  }
}

function toolPath(venv, name) {
  return process.platform === 'win32' ? join(venv, 'Scripts', `${name}.exe`) : join(venv, 'bin', name);
}

/** Runs `work` unless it was done for exactly these files and its result is still there. */
function runOnce(label, files, result, work) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(readFileSync(join(root, file)));
  const digest = hash.digest('hex');
  const stamp = join(root, '.tools', `${label}.stamp`);
  const isDone = existsSync(join(root, result)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
  if (isDone) return;
  work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

function run(command, args) {
  try {
    execFileSync(command, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    });
  } catch (error) {
    fail(
      `"${command} ${args.join(' ')}" failed with status ${error.status ?? error.code}.`,
      'The lines above say why.',
    );
  }
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(what, next) {
  process.stderr.write(`setup: ${what}\nsetup: ${next}\n`);
  process.exit(1);
}
