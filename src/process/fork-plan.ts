/** Whether a copy of a running interpreter can stand for a plan's fresh process, and of which interpreter. Pure. */
import type { LaunchPlan } from '../plugin-spec.ts';

/** A plan that can be forked. */
export interface ForkablePlan {
  /** Interpreter flags of the command, each with its value. */
  readonly flags: readonly string[];
  /** Variables that the interpreter reads at its start: the server is started with them. */
  readonly startEnv: Readonly<Record<string, string>>;
  /** Equal for plans that one server can serve. */
  readonly key: string;
}

/** Flags that a server can be started with, so that its copies have them. */
const FLAGS = new Set(['-I', '-S', '-E', '-s', '-B', '-u', '-P']);
/** `-X` options of the same kind. */
const X_OPTION = /^(utf8(=[01])?|pycache_prefix=.*|int_max_str_digits=\d+|no_debug_ranges|frozen_modules=(on|off))$/;

/** Variables whose effect a server has when it is started with the same values. */
const START_VARIABLES = new Set([
  ...['PATH', 'HOME', 'LANG', 'LANGUAGE', 'TZ', 'LD_LIBRARY_PATH'],
  ...['PYTHONHOME', 'PYTHONUTF8', 'PYTHONIOENCODING', 'PYTHONUNBUFFERED', 'PYTHONDONTWRITEBYTECODE'],
  ...['PYTHONPYCACHEPREFIX', 'PYTHONNOUSERSITE', 'PYTHONUSERBASE', 'PYTHONWARNINGS', 'PYTHONSAFEPATH'],
  ...['PYTHONCOERCECLOCALE', 'PYTHONFAULTHANDLER', 'PYTHONASYNCIODEBUG', 'PYTHONINTMAXSTRDIGITS'],
  ...['OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'BLIS_NUM_THREADS', 'NUMEXPR_NUM_THREADS'],
]);
const START_VARIABLE = /^(LC_|MALLOC_|GLIBC_|DYLD_(?!INSERT_LIBRARIES))/;
/** Variables that need a start of the interpreter itself: each process has its own seed, its own libraries. */
const NEEDS_START = /^(LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES|PYTHON(?!PATH$))/;

/** The plan's server, or why there can be none. */
export function forkablePlan(
  plan: LaunchPlan,
  group: { readonly preload: readonly string[]; readonly domain: string },
): ForkablePlan | { readonly reason: string } {
  const [program = '', ...words] = plan.argv;
  const flags = interpreterFlags(words);
  const script = words[flags.length];
  if (program !== plan.interpreter && program.includes('/')) return { reason: `'${program}' is another program` };
  if (!/(^|\/)python[\d.]*$/.test(program)) return { reason: `'${program}' is not Python` };
  if (script?.startsWith('-') === true) return { reason: `the interpreter flag '${script}'` };
  if (script?.endsWith('.py') !== true) return { reason: 'the command does not run a Python file' };
  const startEnv: Record<string, string> = {};
  for (const [name, value] of Object.entries(plan.env)) {
    if (START_VARIABLES.has(name) || START_VARIABLE.test(name)) startEnv[name] = value;
    else if (NEEDS_START.test(name)) return { reason: `the variable '${name}'` };
  }
  const { preload, domain } = group;
  const variables = Object.entries(startEnv).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    flags,
    startEnv,
    key: JSON.stringify([plan.interpreter, program, flags, variables, plan.hasWire, preload, domain]),
  };
}

/** The leading words that are flags a server can have; the first other word ends them. */
function interpreterFlags(words: readonly string[]): readonly string[] {
  let count = 0;
  for (let word = words[count]; word !== undefined; word = words[count]) {
    if (FLAGS.has(word)) count += 1;
    else if (word === '-X' && X_OPTION.test(words[count + 1] ?? '')) count += 2;
    else break;
  }
  return words.slice(0, count);
}
