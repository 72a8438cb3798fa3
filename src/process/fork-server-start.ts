import type { LaunchPlan } from '../plugin-spec.ts';
import { describeExit } from './exit-report.ts';
import { NotForkableError } from './fork-order.ts';
import type { ForkablePlan } from './fork-plan.ts';
import { type LaunchContext, launchExec } from './launch.ts';
import { type OutputTail, tailOutput } from './output-tail.ts';
import { ONE_BLAS_THREAD } from './preloads.ts';
import type { SupervisedChild } from './supervised-child.ts';
import { SupervisorLink } from './supervisor-link.ts';
import { SUPERVISOR_PROGRAM } from './supervisor-process.ts';

/** What a server says of a module that it must not be copied with. */
const STARTS_THREADS = 'starts threads';

/** What a fork server is started with. */
export interface ForkServerOptions {
  /** Any plan of those that the server is to serve. */
  readonly plan: LaunchPlan;
  readonly forkable: ForkablePlan;
  /** Modules to import ahead. */
  readonly preload: readonly string[];
  /** Processes to keep ready. */
  readonly spares: number;
}

/** A fork server that is ready. */
export interface StartedServer {
  readonly child: SupervisedChild;
  readonly link: SupervisorLink;
  /** What the server and its preloads wrote to standard error. */
  readonly stderr: OutputTail;
  /** Modules that were not imported ahead, with the reason. */
  readonly failed: Readonly<Record<string, string>>;
}

/**
 * Starts a fork server. A module that starts threads cannot be taken back: the server is started again without it.
 *
 * @throws StartError as `Supervisor.exec`
 * @throws NotForkableError when the server ends before it is ready
 */
export async function startForkServer(context: LaunchContext, options: ForkServerOptions): Promise<StartedServer> {
  const refused: Record<string, string> = {};
  for (;;) {
    const server = await startOnce(context, {
      ...options,
      preload: options.preload.filter((name) => !(name in refused)),
    });
    const threaded = Object.entries(server.failed).filter(([, reason]) => reason === STARTS_THREADS);
    if (threaded.length === 0) return { ...server, failed: { ...refused, ...server.failed } };
    for (const [name, reason] of threaded) refused[name] = reason;
    server.link.end();
    await server.child.exited;
  }
}

async function startOnce(context: LaunchContext, options: ForkServerOptions): Promise<StartedServer> {
  const { plan, forkable, preload } = options;
  const [program = ''] = plan.argv;
  const child = await launchExec(context, {
    ...plan,
    argv: [program, ...forkable.flags, SUPERVISOR_PROGRAM, '--server', context.rendezvous.path, ...preload],
    cwd: '/',
    env: { ...ONE_BLAS_THREAD, ...forkable.startEnv },
    // Standard streams made of the same kind of descriptor as those of its copies.
    stdin: 'pipe',
    hasWire: true,
    limits: {},
  });
  const stderr = tailOutput(child.stderr, { label: 'stderr' });
  child.stdout.resume();
  if (child.wire === undefined) throw new NotForkableError('the fork server has no wire');
  child.wire.dumps.resume();
  const link = new SupervisorLink(child.wire.input, child.wire.output);
  const ready = await link.ready;
  if (ready === undefined) {
    const exit = await child.exited;
    await stderr.ended;
    throw new NotForkableError(`the fork server ${describeExit(exit)}: ${stderr.lines.at(-1) ?? 'it said nothing'}`);
  }
  return { child, link, stderr, failed: ready.failed ?? {} };
}
