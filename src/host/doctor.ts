import { examineMachine } from '../provision/examine-machine.ts';
import { parseHostOptions, type HostOptions } from './host-options.ts';

/** One thing that a host may need of its machine. */
export interface DoctorFinding {
  readonly name: string;
  /** `limited`: plugins run, something is missing that some want. */
  readonly status: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  /** The one command or step that mends it. */
  readonly fix?: string;
}

/** What this machine offers to a host with such options, and how each lack is mended. */
export async function doctor(options: HostOptions = {}): Promise<readonly DoctorFinding[]> {
  const { pythonPath, cacheDir } = parseHostOptions(options);
  const report = await examineMachine({
    env: process.env,
    cacheDir,
    ...(pythonPath !== undefined && { interpreter: pythonPath }),
  });
  return report.findings;
}
