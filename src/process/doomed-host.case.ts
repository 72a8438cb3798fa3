/** A host program to be killed: starts what its arguments say and waits until it is told to go. */
import { scriptPlan } from './fixtures.case.ts';
import { createSupervisor } from './supervisor.ts';

const [interpreter = '', liveness = '', ending = ''] = process.argv.slice(2);
const supervisor = createSupervisor({ interpreter });
const env = { PATH: '/usr/bin:/bin', LIVENESS: liveness };
const children = await Promise.all([
  supervisor.exec(scriptPlan(['ignores_term.py'], { env })),
  supervisor.exec(scriptPlan(['forks.py', 'stay', '2'], { env })),
]);
process.stdin.once('data', () => {
  if (ending === 'exit') process.exit(7);
  if (ending === 'throw') throw new Error('The host fails');
  if (ending === 'idle') {
    for (const child of children) child.unref();
    process.stdin.destroy();
  }
});
