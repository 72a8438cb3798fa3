/** `npm run bench [-- --quick] [-- --json] [-- CASE…]`: ratios against named baselines, measured in one run. */
import { cpus, loadavg } from 'node:os';

import { discovery } from './cases/discovery.ts';
import { fidius } from './cases/fidius.ts';
import { fidiusPackages } from './cases/fidius-packages.ts';
import { oneShot } from './cases/one-shot.ts';
import { remotemedia } from './cases/remotemedia.ts';
import { remotemediaLife } from './cases/remotemedia-life.ts';
import { start } from './cases/start.ts';
import { warmCall } from './cases/warm-call.ts';
import { renderMarkdown, type CaseReport } from './report.ts';
import { prepareSetting, type Setting } from './setting.ts';

const CASES: Readonly<Record<string, (setting: Setting) => Promise<CaseReport>>> = {
  warmCall,
  oneShot,
  start,
  discovery,
  fidius,
  fidiusPackages,
  remotemedia,
  remotemediaLife,
};

const flags = process.argv.slice(2);
const wanted = flags.filter((flag) => !flag.startsWith('--'));
const setting = prepareSetting(flags.includes('--quick'));
const reports: CaseReport[] = [];
try {
  for (const [name, run] of Object.entries(CASES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stderr.write(`bench: ${name}\n`);
    reports.push(await run(setting));
  }
} finally {
  setting.remove();
}
process.stdout.write(flags.includes('--json') ? `${JSON.stringify(reports, undefined, 2)}\n` : renderMarkdown(reports));
const load = loadavg().map((each) => each.toFixed(1));
process.stderr.write(`bench: ${cpus().length} processors, load average ${load.join(', ')}\n`);
const missed = reports.flatMap(({ gates }) => gates.filter(({ isKept }) => !isKept));
if (flags.includes('--gate') && missed.length > 0) process.exitCode = 1;
