/** What this machine offers to plugins, and the one command that mends each lack. */
import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ProvisionError } from '../errors.ts';
import { childEnvironment } from './child-environment.ts';
import { findAllOnPath } from './command-lookup.ts';
import { findAllInterpreters, findInterpreter, OLDEST_PYTHON, type Interpreter } from './interpreter.ts';
import { runTool } from './run-tool.ts';
import { findUv } from './uv.ts';

/** One thing that a host may need of its machine. */
export interface MachineFinding {
  /** `python`, `uv`, `cache`, `shared memory`, `landlock` or `bubblewrap`. */
  readonly name: string;
  /** `limited`: plugins run, something is missing that some want. */
  readonly status: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  /** The one command or step that mends it. */
  readonly fix?: string;
}

/** The facts, for people and for programs. */
export interface MachineReport {
  readonly findings: readonly MachineFinding[];
  /** Usable interpreters, the chosen one first. */
  readonly interpreters: readonly Interpreter[];
  /** Version of the kernel's Landlock interface; 0 where there is none. */
  readonly landlockAbi: number;
}

/** What to examine. */
export interface ExamineOptions {
  /** The host's environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  /** Python that the host names. @default the first suitable one on the machine */
  readonly interpreter?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Docker gives containers 64 MiB, which a handful of large attachments fills. */
const ROOMY_SHARED_MEMORY_BYTES = 128 * 1024 * 1024;
/** One system call in a fresh interpreter. */
const LANDLOCK_TIMEOUT_MS = 10_000;

/** `landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)`; number 444 on every architecture but Alpha. */
const LANDLOCK_PROGRAM = 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))';

/** Looks at the machine; fetches nothing and changes nothing but making the cache directory. */
export async function examineMachine(options: ExamineOptions): Promise<MachineReport> {
  const search = { env: options.env, cacheDir: options.cacheDir, signal: options.signal };
  const chosen = await findInterpreter({ ...search, path: options.interpreter }).catch((error: unknown) => {
    if (error instanceof ProvisionError) return error;
    throw error;
  });
  const others = (await findAllInterpreters(search)).filter((one) => one.path !== pathOf(chosen));
  const interpreters = chosen instanceof ProvisionError ? others : [chosen, ...others];
  const landlockAbi = interpreters[0] === undefined ? 0 : await askLandlock(interpreters[0], options);
  const uv = await findUv({ cacheDir: options.cacheDir, hostEnv: options.env, signal: options.signal });
  return {
    findings: [
      describePython(chosen, others, options.env),
      describeUv(uv),
      describeCache(resolve(options.cacheDir)),
      describeSharedMemory(),
      describeLandlock(landlockAbi),
      describeBubblewrap(options.env),
    ],
    interpreters,
    landlockAbi,
  };
}

function pathOf(chosen: Interpreter | ProvisionError): string | undefined {
  return chosen instanceof ProvisionError ? undefined : chosen.path;
}

function describePython(
  chosen: Interpreter | ProvisionError,
  others: readonly Interpreter[],
  env: NodeJS.ProcessEnv,
): MachineFinding {
  if (chosen instanceof ProvisionError) {
    const name = process.platform === 'darwin' ? 'python' : 'python3';
    return { name: 'python', status: 'missing', detail: chosen.message, fix: installCommand(name, env) };
  }
  const rest = [...new Set(others.map((one) => one.version))].filter((version) => version !== chosen.version);
  const also = rest.length === 0 ? '' : `; also ${rest.join(', ')}`;
  return { name: 'python', status: 'ok', detail: `${chosen.version} at ${chosen.path}${also}` };
}

function describeUv(uv: { path: string; version: string } | undefined): MachineFinding {
  if (uv !== undefined) return { name: 'uv', status: 'ok', detail: `${uv.version} at ${uv.path}` };
  return {
    name: 'uv',
    status: 'limited',
    detail: 'not here: it is fetched for the first plugin with requirements, or venv and pip are used',
    fix:
      process.platform === 'win32' ? 'winget install astral-sh.uv' : 'curl -LsSf https://astral.sh/uv/install.sh | sh',
  };
}

function describeCache(directory: string): MachineFinding {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return { name: 'cache', status: 'ok', detail: directory };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const fix = `sudo mkdir -p '${directory}' && sudo chown "$(id -u)" '${directory}'`;
    return { name: 'cache', status: 'missing', detail: `${directory} may not be written (${reason})`, fix };
  }
}

function describeSharedMemory(): MachineFinding {
  const name = 'shared memory';
  if (process.platform !== 'linux') {
    return { name, status: 'limited', detail: 'no /dev/shm on this system: large values travel through the wire' };
  }
  try {
    accessSync('/dev/shm', constants.W_OK);
    const { bavail, bsize } = statfsSync('/dev/shm');
    const detail = `${Math.floor((bavail * bsize) / 1024 / 1024)} MiB free in /dev/shm`;
    if (bavail * bsize >= ROOMY_SHARED_MEMORY_BYTES) return { name, status: 'ok', detail };
    return { name, status: 'limited', detail, fix: 'sudo mount -o remount,size=1g /dev/shm' };
  } catch {
    const detail = '/dev/shm may not be written: large values travel through the wire';
    return { name, status: 'limited', detail, fix: 'sudo mount -t tmpfs -o mode=1777,size=1g tmpfs /dev/shm' };
  }
}

function describeLandlock(abi: number): MachineFinding {
  if (abi > 0) return { name: 'landlock', status: 'ok', detail: `version ${abi} of the kernel's interface` };
  if (process.platform !== 'linux') {
    return {
      name: 'landlock',
      status: 'limited',
      detail: 'only Linux has it: plugins cannot be confined to paths here',
    };
  }
  return {
    name: 'landlock',
    status: 'limited',
    detail: 'the kernel does not offer it: plugins cannot be confined to paths',
    fix: 'Boot Linux 5.13 or later with landlock in its lsm= list',
  };
}

function describeBubblewrap(env: NodeJS.ProcessEnv): MachineFinding {
  const name = 'bubblewrap';
  if (process.platform !== 'linux') return { name, status: 'limited', detail: 'only Linux has it' };
  const [path] = findAllOnPath('bwrap', env['PATH']);
  if (path !== undefined) return { name, status: 'ok', detail: path };
  const detail = 'not here: plugins cannot have namespaces of their own';
  return { name, status: 'limited', detail, fix: installCommand('bubblewrap', env) };
}

/** The command of the first package manager on PATH. */
function installCommand(packageName: string, env: NodeJS.ProcessEnv): string {
  const managers: readonly (readonly [program: string, command: string])[] = [
    ['apt-get', 'sudo apt-get install -y'],
    ['dnf', 'sudo dnf install -y'],
    ['apk', 'sudo apk add'],
    ['pacman', 'sudo pacman -S --noconfirm'],
    ['zypper', 'sudo zypper install -y'],
    ['brew', 'brew install'],
    ['winget', 'winget install'],
  ];
  const found = managers.find(([program]) => findAllOnPath(program, env['PATH']).length > 0);
  if (found !== undefined) return `${found[1]} ${packageName}`;
  return `Install ${packageName}${packageName.startsWith('python') ? ` ${OLDEST_PYTHON.join('.')} or later` : ''}`;
}

async function askLandlock(python: Interpreter, options: ExamineOptions): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const outcome = await runTool(
    { program: python.path, args: ['-I', '-S', '-c', LANDLOCK_PROGRAM] },
    { env: childEnvironment(options.env, {}), cwd: '/', timeoutMs: LANDLOCK_TIMEOUT_MS, signal: options.signal },
  );
  const abi = Number.parseInt(outcome.stdout, 10);
  return Number.isInteger(abi) && abi > 0 ? abi : 0;
}
