/** A host program to be killed: starts what its arguments say and waits until it is told to go. */
import { scriptPlan } from './fixtures.case.ts';
import { createSupervisor } from './supervisor.ts';

const [interpreter = '', liveness = '', ending = ''] = process.argv.slice(2);
const supervisor = createSupervisor({ interpreter });
const env = { PATH: '/usr/bin:/bin', LIVENESS: liveness };
const forked = scriptPlan(['forks.py', 'stay', '2'], { env });
await supervisor.prepare(forked);
const children = await Promise.all([
  supervisor.exec(scriptPlan(['ignores_term.py'], { env })),
  supervisor.exec(scriptPlan(['forks.py', 'stay', '2'], { env })),
  supervisor.fork(forked),
]);
if (children[2].launcher !== 'fork') throw new Error(children[2].launcherReason);
process.stdin.once('data', () => {
  if (ending === 'exit') process.exit(7);
  if (ending === 'throw') throw new Error('The host fails');
  if (ending === 'idle') {
    for (const child of children) child.unref();
    process.stdin.destroy();
  }
});
