import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchPlan, PluginSpec, PythonNeeds } from '../plugin-spec.ts';
import { findInterpreter, type Interpreter } from './interpreter.ts';
import { planLaunch } from './plan-launch.ts';
import type { ProvisionOptions } from './provision-options.ts';
import { runnerEntry } from './runner-entry.ts';
import { makeWheel } from './test-wheel.case.ts';

let real: Interpreter;
let temporary: string;
let root: string;
let plugin: string;

beforeAll(async () => {
  real = await findInterpreter({ env: process.env });
});

beforeEach(() => {
  temporary = realpathSync(mkdtempSync(join(tmpdir(), 'charmer-plan-')));
  root = join(temporary, 'plugins');
  plugin = join(root, 'sample');
  mkdirSync(plugin, { recursive: true });
});

afterEach(() => rmSync(temporary, { recursive: true, force: true }));

function spec(python: Partial<PythonNeeds> = {}, words?: readonly string[]): PluginSpec {
  return {
    format: 'sample',
    directory: plugin,
    id: 'sample',
    title: 'Sample',
    version: '1.0.0',
    python: { requirements: [], importFirst: [], importLast: [], seesBaseSitePackages: false, ...python },
    ...(words === undefined ? {} : { command: { words, cwd: plugin } }),
    secrets: [],
    opening: {},
    manifest: {},
    findings: [],
  };
}

function options(more: Partial<ProvisionOptions> = {}): ProvisionOptions {
  return { cacheDir: join(temporary, 'cache'), hostEnv: { PATH: pathOfReal(), LANG: 'C.UTF-8' }, ...more };
}

/** A PATH on which `python3` is the true interpreter, by a link of its own. */
function pathOfReal(): string {
  const directory = join(temporary, 'bin');
  mkdirSync(directory, { recursive: true });
  if (!existsSync(join(directory, 'python3'))) symlinkSync(real.path, join(directory, 'python3'));
  return `${directory}:/usr/bin:/bin`;
}

function script(path: string, body: string, mode = 0o755): string {
  const file = join(temporary, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, body);
  chmodSync(file, mode);
  return file;
}

/** Runs a one-shot plan as a launcher does: the first word is looked up in the plan's own environment. */
function run(plan: LaunchPlan): string {
  const [program = '', ...args] = plan.argv;
  const ended = spawnSync(program, args, { cwd: plan.cwd, env: plan.env, input: '', encoding: 'utf8' });
  expect(ended.stderr).toBe('');
  return ended.stdout.trim();
}

async function failure(spec: PluginSpec, more: Partial<ProvisionOptions> = {}): Promise<unknown> {
  return planLaunch(spec, options(more)).then(
    () => expect.unreachable('it was planned'),
    (error: unknown) => error,
  );
}

describe('planLaunch() of a resident plugin', () => {
  it('planLaunch() starts the runner isolated, with UTF-8 and byte-code in the cache', async () => {
    const plan = await planLaunch(
      spec({ importFirst: ['/first'], importLast: ['/last'] }),
      options({ limits: { memoryMb: 64 } }),
    );
    const byteCode = join(temporary, 'cache', 'bytecode');
    expect(plan).toEqual({
      interpreter: real.path,
      pythonVersion: real.version,
      argv: [real.path, '-I', '-S', '-X', 'utf8', '-X', `pycache_prefix=${byteCode}`, runnerEntry()],
      cwd: process.cwd(),
      env: { PATH: pathOfReal(), LANG: 'C.UTF-8', PYTHONUTF8: '1' },
      hasWire: true,
      stdin: 'null',
      limits: { memoryMb: 64 },
      launcher: 'exec',
      importPath: { first: ['/first'], last: ['/last'] },
      sitePackages: { kind: 'none' },
    });
  });

  it("planLaunch() shows the base's packages where the format says so", async () => {
    expect((await planLaunch(spec({ seesBaseSitePackages: true }), options())).sitePackages).toEqual({ kind: 'base' });
  });

  it('planLaunch() causes no installer traffic for a plugin without requirements (R57)', async () => {
    const phases: string[] = [];
    // An installer that tells on itself, and nothing else to install with.
    const told = join(temporary, 'told');
    script('bin/uv', `#!/bin/sh\ntouch '${told}'\n`);
    await planLaunch(spec(), options({ onProgress: ({ phase }) => phases.push(phase) }));
    expect(phases).toEqual([]);
    expect([told, join(temporary, 'cache', 'environments')].map((path) => existsSync(path))).toEqual([false, false]);
  });

  it('planLaunch() runs on the environment of a plugin with requirements', async () => {
    makeWheel(real.path, join(temporary, 'wheels'), { name: 'charmer_sample', version: '1.0' });
    const ours = new URL('../../.tools/venv/bin/uv', import.meta.url).pathname;
    const hostEnv = { PATH: pathOfReal(), ...(existsSync(ours) ? { UV_BINARY_PATH: ours } : {}) };
    const wheels = { hostEnv, wheelDir: join(temporary, 'wheels') };
    const plan = await planLaunch(spec({ requirements: ['charmer-sample'] }), options(wheels));
    const { sitePackages } = plan;
    if (sitePackages.kind !== 'environment') return expect.unreachable('it has an environment');
    expect(sitePackages.seesBase).toBe(false);
    expect(plan.interpreter).toBe(join(sitePackages.directory, 'bin', 'python'));
    expect(plan.argv[0]).toBe(plan.interpreter);
    expect(plan.env['PATH']).toBe(`${join(sitePackages.directory, 'bin')}:${pathOfReal()}`);
    execFileSync(plan.interpreter, ['-c', 'import charmer_sample']);
    // A one-shot with the same requirements runs on the same one.
    const oneShot = spec({ requirements: ['charmer-sample'] }, ['python3', '-c', 'import charmer_sample; print(1)']);
    expect(run(await planLaunch(oneShot, options(wheels)))).toBe('1');
  });

  it('planLaunch() lets the version that a plugin wants outrank the interpreter of the host', async () => {
    const [major, minor] = real.versionInfo;
    const wanted = await planLaunch(spec({ version: `${major}.${minor}` }), options({ interpreter: real.path }));
    expect(wanted.pythonVersion).toBe(real.version);
    const error = await failure(spec({ version: '3.99' }), { interpreter: real.path, offline: true });
    expect(error).toMatchObject({ code: 'PYTHON_NOT_FOUND', message: expect.stringContaining("'3.99'") });
  });

  it('planLaunch() has uv bring a version that the machine lacks, once', async () => {
    const answer = JSON.stringify({ ...real, executable: real.path, versionInfo: [3, 98, 1] });
    const installs = join(temporary, 'installs');
    // A uv that brings a Python which only says what it is.
    const uv = script(
      'uv',
      `#!/bin/sh
      if [ "$1" = --version ]; then echo uv 1.0.0; exit; fi
      echo "$@" >> '${installs}'
      bin="$UV_PYTHON_INSTALL_DIR/cpython-3.98.1-test/bin"
      mkdir -p "$bin" && printf '#!/bin/sh\\necho %s\\n' "'"'${answer}'"'" > "$bin/python3" && chmod +x "$bin/python3"
      `,
    );
    const hostEnv = { PATH: pathOfReal(), UV_BINARY_PATH: uv };
    for (const _load of [1, 2]) {
      expect(await planLaunch(spec({ version: '3.98' }), options({ hostEnv }))).toMatchObject({
        pythonVersion: '3.98.1',
      });
    }
    expect(readFileSync(installs, 'utf8')).toBe('python install --no-config --no-bin 3.98\n');
  });

  it('planLaunch() names the version and carries the words of uv when it cannot be had', async () => {
    const uv = script(
      'uv',
      '#!/bin/sh\n[ "$1" = --version ] && echo uv 1.0.0 && exit\necho no such Python >&2; exit 2\n',
    );
    const error = await failure(spec({ version: '3.97' }), { hostEnv: { PATH: pathOfReal(), UV_BINARY_PATH: uv } });
    expect(error).toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: "Python '3.97' is not on this machine and uv could not fetch it",
      stderrTail: ['no such Python'],
    });
  });
});

describe('planLaunch() of a one-shot', () => {
  const DUMP =
    'import json, os, sys; print(json.dumps([sys.executable, sys.argv, os.getcwd(), sys.path[:2], dict(os.environ)]))';

  it('planLaunch() keeps the words and runs the true interpreter (O9, O12)', async () => {
    const plan = await planLaunch(spec({}, ['python3', '-c', DUMP, 'a b', '$HOME', '"']), options());
    expect(plan).toMatchObject({
      interpreter: real.path,
      pythonVersion: real.version,
      hasWire: false,
      stdin: 'pipe',
      cwd: plugin,
    });
    expect(plan.argv.slice(3)).toEqual(['a b', '$HOME', '"']);
    const [executable, argv, cwd] = JSON.parse(run(plan)) as [string, string[], string];
    expect(realpathSync(executable)).toBe(real.path);
    expect(argv).toEqual(['-c', 'a b', '$HOME', '"']);
    expect(cwd).toBe(plugin);
  });

  it('planLaunch() passes by a shim after the first call (T6)', async () => {
    const log = join(temporary, 'runs');
    script('shims/python3', `#!/bin/sh\necho run >> '${log}'\nexec '${real.path}' "$@"\n`);
    const shimmed = options({ hostEnv: { PATH: join(temporary, 'shims') } });
    for (const _call of [1, 2, 3]) {
      const plan = await planLaunch(spec({}, ['python3', '-c', DUMP]), shimmed);
      expect(plan.interpreter).toBe(real.path);
      const [executable] = JSON.parse(run(plan)) as [string];
      expect(executable).toBe(real.path);
    }
    expect(readFileSync(log, 'utf8')).toBe('run\n');
  });

  it('planLaunch() gives a one-shot an environment of its own, with UTF-8 forced (W17, W18)', async () => {
    const host = {
      PATH: pathOfReal(),
      LANG: 'C',
      OBSCURA_SECRET: 's3cret',
      PYTHONHOME: '/nonexistent',
      PYTHONIOENCODING: 'ascii',
      PYTHONINSPECT: '1',
      PYTHONPATH: '/opt/a',
    };
    const plan = await planLaunch(
      spec({}, ['python3', '-c', 'print("é")']),
      options({ hostEnv: host, env: { BASE: 'x' } }),
    );
    expect(plan.env).toEqual({
      PATH: pathOfReal(),
      LANG: 'C',
      BASE: 'x',
      PYTHONUTF8: '1',
      PYTHONPYCACHEPREFIX: join(temporary, 'cache', 'bytecode'),
    });
    expect(run(plan)).toBe('é');
  });

  it('planLaunch() stands a directory of links in for the parent, or puts the given root word for word (O10, O11, W19)', async () => {
    script('plugins/py_common.py', 'word = "hello"');
    script('plugins/json.py', 'raise SystemExit("hijacked")');
    const needs = { siblings: { root, requires: ['py_common'] } };
    const oneShot = spec(needs, ['python3', '-c', 'import json, py_common; print(py_common.word)']);
    const plan = await planLaunch(oneShot, options());
    expect(run(plan)).toBe('hello');
    expect(plan.env['PYTHONPATH']).toMatch(new RegExp(`^${join(temporary, 'cache', 'siblings')}/[0-9a-f]+$`));
    const verbatim = await planLaunch(oneShot, options({ pluginsRoot: '/somewhere/else' }));
    expect(verbatim.env['PYTHONPATH']).toBe('/somewhere/else');
    const granted = options({ hostEnv: { PATH: pathOfReal(), PYTHONPATH: '/opt/a:/opt/b' }, passEnv: ['PYTHONPATH'] });
    expect((await planLaunch(oneShot, granted)).env['PYTHONPATH']).toBe(`${plan.env['PYTHONPATH']}:/opt/a:/opt/b`);
  });

  it("planLaunch() runs the host's choice of interpreter for a plain python3, in its own name", async () => {
    execFileSync(real.path, ['-m', 'venv', '--without-pip', join(temporary, 'venv')]);
    const python = join(temporary, 'venv', 'bin', 'python3');
    const code = 'import sys; print(sys.prefix)';
    const plan = await planLaunch(spec({}, ['python3', '-c', code]), options({ interpreter: python }));
    expect(run(plan)).toBe(join(temporary, 'venv'));
  });

  it('planLaunch() runs commands that are no Python, and scripts of the plugin itself (O55)', async () => {
    const shell = await planLaunch(spec({}, ['/bin/sh', '-c', 'echo from sh']), options({ launcher: 'fork' }));
    expect(shell).toMatchObject({ interpreter: '/bin/sh', pythonVersion: '', launcher: 'exec' });
    expect(run(shell)).toBe('from sh');
    script('plugins/sample/main.py', '#!/usr/bin/env python3\nimport sys\nprint(sys.argv)\n');
    const own = await planLaunch(spec({}, ['./main.py', 'x']), options());
    expect(own.interpreter).toBe(join(plugin, 'main.py'));
    expect(run(own)).toBe("['./main.py', 'x']");
  });

  it('planLaunch() asks for a fork only of a Python that can', async () => {
    const forking = options({ launcher: 'fork' });
    expect(await planLaunch(spec({}, ['python3', 'main.py']), forking)).toMatchObject({ launcher: 'fork' });
    script(
      'old/python3',
      `#!/bin/sh\necho '${JSON.stringify({ ...real, executable: real.path, versionInfo: [3, 8, 1] })}'\n`,
    );
    const old = options({ launcher: 'fork', hostEnv: { PATH: `${join(temporary, 'old')}:/usr/bin:/bin` } });
    expect(await planLaunch(spec({}, ['python3', 'main.py']), old)).toMatchObject({
      launcher: 'exec',
      pythonVersion: '3.8.1',
    });
  });

  it.each([
    ['no-such-command-here', 'ENOENT'],
    ['python3 main.py', 'ENOENT'],
    ['python2', 'ENOENT'],
    ['./readable.py', 'EACCES'],
    ['', 'EINVAL'],
  ])('planLaunch() says why the command %j cannot be started', async (word, errno) => {
    script('plugins/sample/readable.py', '', 0o644);
    const hostEnv = { PATH: join(temporary, 'bin') };
    pathOfReal();
    expect(await failure(spec({}, [word, 'main.py']), { hostEnv })).toMatchObject({
      code: 'SPAWN_FAILED',
      message: expect.stringContaining(`Command '${word}' cannot be started`),
      details: { word, errno },
    });
  });

  it('planLaunch() refuses a zero byte in an argument', async () => {
    expect(await failure(spec({}, ['python3', 'a\0b']))).toMatchObject({
      code: 'SPAWN_FAILED',
      details: { errno: 'EINVAL' },
    });
  });

  it('planLaunch() rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    expect(await failure(spec(), { signal: AbortSignal.abort(reason) })).toBe(reason);
  });
});
