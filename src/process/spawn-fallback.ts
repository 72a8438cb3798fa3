/**
 * Processes without a supervisor, for platforms that cannot fork: Node's own spawn behind the same interface. There is
 * no limit, no CPU time and no peak memory here, and nobody ends what a child leaves behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { CallError, StartError } from '../errors.ts';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { Child, ChildWire, ExitFacts } from './child.ts';
import { diagnoseStart } from './diagnose-start.ts';
import { stopProcess } from './stop-process.ts';
import type { StartOptions, Supervisor } from './supervision.ts';

/** A supervisor that is no process. */
export function createSpawnSupervisor(): Supervisor {
  const living = new Set<Child>();
  let closing: Promise<void> | undefined;
  const exec = async (plan: LaunchPlan, options: StartOptions = {}): Promise<Child> => {
    if (closing !== undefined) throw new CallError('HOST_CLOSED', 'The host is closed and starts no more processes');
    options.signal?.throwIfAborted();
    const child = await spawnChild(plan);
    living.add(child);
    void child.exited.then(() => living.delete(child));
    return child;
  };
  return {
    pid: undefined,
    exited: Promise.resolve(),
    start: () => Promise.resolve(),
    exec,
    fork: exec,
    prepare: () => Promise.resolve(),
    close: () => (closing ??= Promise.all([...living].map((child) => stopProcess(child))).then(() => undefined)),
  };
}

/**
 * Starts a plan's command with Node's spawn.
 *
 * @throws StartError `SPAWN_FAILED`
 */
export async function spawnChild(plan: LaunchPlan): Promise<Child> {
  const [program = '', ...words] = plan.argv;
  const wire = plan.hasWire ? (['pipe', 'pipe', 'pipe', 'pipe'] as const) : [];
  const child = spawn(program, words, {
    cwd: plan.cwd,
    env: plan.env,
    stdio: [plan.stdin === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'pipe', ...wire],
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => reject(notSpawned(error, plan)));
  });
  return new SpawnedChild(child, plan);
}

class SpawnedChild implements Child {
  readonly pid: number;
  declare readonly wire?: ChildWire;
  declare readonly stdin?: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ExitFacts>;
  readonly launcher = 'exec';
  readonly #child: ChildProcess;
  readonly #streams: Duplex[];
  #wasSignalled = false;

  constructor(child: ChildProcess, plan: LaunchPlan) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    const streams = child.stdio as readonly (Duplex | null)[];
    this.#streams = streams.filter((stream) => stream !== null);
    for (const stream of this.#streams) stream.on('error', () => undefined);
    const at = (index: number): Duplex => {
      const stream = streams[index];
      if (stream === null || stream === undefined) throw new RangeError(`Channel ${index} is not connected`);
      return stream;
    };
    this.stdout = at(1);
    this.stderr = at(2);
    if (plan.stdin === 'pipe') this.stdin = at(0);
    if (plan.hasWire) this.wire = { input: at(3), output: at(4), control: at(5), dumps: at(6) };
    this.exited = this.#watch(performance.now());
  }

  signal(name: NodeJS.Signals): Promise<void> {
    this.#wasSignalled = true;
    this.#child.kill(name);
    return Promise.resolve();
  }

  ref(): void {
    this.#child.ref();
    for (const stream of this.#streams) (stream as { ref?: () => void }).ref?.();
  }

  unref(): void {
    this.#child.unref();
    for (const stream of this.#streams) (stream as { unref?: () => void }).unref?.();
  }

  #watch(startedAt: number): Promise<ExitFacts> {
    return new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const by = this.#wasSignalled ? 'host' : signal === null ? 'itself' : 'outside';
        const durationMs = performance.now() - startedAt;
        resolve({ pid: this.pid, code, signal, by, durationMs, cpuMs: 0, peakMemoryBytes: 0 });
      });
    });
  }
}

function notSpawned(error: NodeJS.ErrnoException, plan: LaunchPlan): StartError {
  const { code, message, hint } = diagnoseStart({ plan, stderrTail: [], spawnError: error });
  return new StartError(code, message, { hint, cause: error });
}
