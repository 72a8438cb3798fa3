import { readdirSync, readFileSync } from 'node:fs';

/** What the children of this process, and theirs, take. Linux only. */
export interface TreeUse {
  readonly processes: number;
  /** Their share of memory (PSS), in MiB; NaN where the kernel does not tell. */
  readonly pssMib: number;
  /** Their time on a processor so far, in milliseconds. */
  readonly cpuMs: number;
}

/** Looks at every process below this one. */
export function processTree(): TreeUse {
  const pids = descendants();
  return {
    processes: pids.length,
    pssMib: sum(pids.map(pssKib)) / 1024,
    cpuMs: sum(pids.map(runtimeNs)) / 1e6,
  };
}

function descendants(): readonly number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const open = [process.pid];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const below = children.get(pid) ?? [];
    found.push(...below);
    open.push(...below);
  }
  return found;
}

/** The name of a process may hold anything, so fields are counted from behind its closing bracket. */
function parentOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function pssKib(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return rollup === undefined ? Number.NaN : Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
}

function runtimeNs(pid: number): number {
  let total = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    total += Number(read(`/proc/${pid}/task/${task}/schedstat`)?.split(' ')[0] ?? 0);
  }
  return total;
}

/** Undefined for a process that has ended meanwhile, or that may not be looked at. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
