/** Why a process did not come up, in words that say what to do: the one place that knows the usual suspects. */
import { closeSync, existsSync, lstatSync, openSync, readSync } from 'node:fs';
import { arch } from 'node:os';
import type { LaunchPlan } from '../plugin-spec.ts';
import type { ExitFacts } from './child.ts';
import { describeExit } from './exit-report.ts';

/** An error of Node's spawn or of the supervisor, as far as diagnosis needs it. */
export interface SpawnFailure {
  /** For example `ENOENT`. */
  readonly name?: string | undefined;
  readonly code?: string | undefined;
  readonly stage?: string | undefined;
  readonly path?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** What is known about a start that failed. */
export interface FailedStart {
  readonly plan: Pick<LaunchPlan, 'interpreter' | 'argv' | 'cwd'>;
  readonly exit?: ExitFacts | undefined;
  readonly stderrTail: readonly string[];
  readonly spawnError?: SpawnFailure | undefined;
}

/** A failed start in words. */
export interface Diagnosis {
  readonly code: 'SPAWN_FAILED' | 'EXITED_BEFORE_READY' | 'IMPORT_FAILED';
  readonly message: string;
  readonly hint: string;
}

/** Says why a start failed. Looks at the files concerned; call it only after a failure. */
export function diagnoseStart(start: FailedStart): Diagnosis {
  return start.spawnError === undefined ? diagnoseExit(start) : diagnoseSpawn(start, start.spawnError);
}

function diagnoseSpawn({ plan }: FailedStart, failure: SpawnFailure): Diagnosis {
  const name = nameOf(failure);
  const program = failure.path ?? plan.argv[0] ?? '';
  switch (failure.stage) {
    case 'cwd':
      return cwdFailed(plan.cwd, name);
    case 'limits':
      return spawnFailed(
        `The limit '${program}' of the process could not be set: ${failure.reason ?? name}`,
        'Ask for less than the limit of the user that runs the host',
      );
    case 'fork':
      return spawnFailed(
        `No process could be started: ${failure.reason ?? name}`,
        'The machine is out of processes or memory: close other plugins, or raise the limit on processes',
      );
    case 'connect':
    case 'prepare':
    case 'verb':
      return spawnFailed(
        `The process could not be prepared: ${failure.reason ?? name}`,
        'The temporary directory may have been cleaned while the host ran: restart the host',
      );
    default:
      // Node's spawn names the program when it is the directory that is missing.
      if (failure.stage === undefined && !existsSync(plan.cwd)) return cwdFailed(plan.cwd, 'ENOENT');
      return programFailed(program, failure);
  }
}

function cwdFailed(cwd: string, name: string): Diagnosis {
  if (name === 'ENOENT') {
    return spawnFailed(
      `The working directory '${cwd}' does not exist`,
      'The plugin may have been moved or removed while the host ran: load it again from where it is',
    );
  }
  const reason = name === 'ENOTDIR' ? 'is not a directory' : 'may not be entered by this user';
  return spawnFailed(`The working directory '${cwd}' ${reason}`, 'Check the path and the permissions of the directory');
}

function programFailed(program: string, failure: SpawnFailure): Diagnosis {
  switch (nameOf(failure)) {
    case 'ENOENT':
      return programMissing(program);
    case 'EACCES':
    case 'EPERM':
      return spawnFailed(`The program '${program}' is not executable`, `Run: chmod +x '${program}'`);
    case 'ENOEXEC':
    case 'EBADARCH':
      return wrongBinary(program);
    case 'E2BIG':
      return spawnFailed('The arguments and the environment of the process are too long', 'Pass large values as input');
    default:
      return spawnFailed(
        `The program '${program}' could not be started: ${failure.reason ?? failure.message ?? nameOf(failure)}`,
        'Check the command in the manifest and the interpreter that the host was given',
      );
  }
}

function programMissing(program: string): Diagnosis {
  if (!program.includes('/')) {
    return spawnFailed(
      `The command '${program}' was not found on PATH`,
      `Install '${program}', or add its directory to the PATH that the plugin is given`,
    );
  }
  if (exists(program)) {
    return spawnFailed(
      `The program '${program}' exists, but what it needs to run does not: its target, its '#!' interpreter or its loader`,
      'Reinstall it, or correct its first line; an environment breaks so when its base interpreter is removed',
    );
  }
  return spawnFailed(`The program '${program}' does not exist`, 'Install it, or name another interpreter');
}

function wrongBinary(program: string): Diagnosis {
  const built = binaryKind(program);
  const message =
    built === undefined
      ? `The program '${program}' is not in a form that this machine can run`
      : `The program '${program}' is built for ${built}, this machine is ${process.platform} ${arch()}`;
  return spawnFailed(message, 'Install a build for this machine');
}

function diagnoseExit({ exit, stderrTail, plan }: FailedStart): Diagnosis {
  const text = stderrTail.join('\n');
  const ending = exit === undefined ? 'closed its wire' : describeExit(exit);
  const library = /error while loading shared libraries: ([^\s:]+)/.exec(text)?.[1];
  if (library !== undefined) {
    return {
      code: 'EXITED_BEFORE_READY',
      message: `The interpreter '${plan.interpreter}' needs the shared library '${library}', which was not found`,
      hint: 'Reinstall the interpreter, or grant the plugin the variable LD_LIBRARY_PATH',
    };
  }
  if (/No module named '?encodings'?/.test(text)) {
    return {
      code: 'EXITED_BEFORE_READY',
      message: `The interpreter '${plan.interpreter}' does not find its standard library`,
      hint: 'Its environment is damaged or was moved: delete it, and it is built again',
    };
  }
  return diagnoseImport(text) ?? exitedEarly(ending, stderrTail);
}

function diagnoseImport(text: string): Diagnosis | undefined {
  const missing = [...text.matchAll(/^ModuleNotFoundError: No module named '([^']+)'/gm)].at(-1)?.[1];
  if (missing !== undefined) {
    const name = missing.split('.')[0] ?? missing;
    return {
      code: 'IMPORT_FAILED',
      message: `The plugin imports '${missing}', which is not installed for it`,
      hint: `Add the package that provides '${name}' to the plugin's requirements`,
    };
  }
  const failed = /^(ImportError|SyntaxError|IndentationError): (.+)$/m.exec(text);
  if (failed === null) return undefined;
  return {
    code: 'IMPORT_FAILED',
    message: `The plugin's code could not be imported: ${failed[1] ?? ''}: ${failed[2] ?? ''}`,
    hint: 'The traceback in the last lines of standard error names the file and line',
  };
}

function exitedEarly(ending: string, stderrTail: readonly string[]): Diagnosis {
  const last = stderrTail.findLast((line) => line.trim() !== '');
  return {
    code: 'EXITED_BEFORE_READY',
    message: `The plugin's process ${ending} before it was ready${last === undefined ? '' : `: ${last.trim()}`}`,
    hint: ending.includes('SIGKILL')
      ? 'Give the plugin or the machine more memory'
      : 'The last lines of its standard error say why',
  };
}

function spawnFailed(message: string, hint: string): Diagnosis {
  return { code: 'SPAWN_FAILED', message, hint };
}

function nameOf(failure: SpawnFailure): string {
  return failure.code ?? failure.name ?? 'unknown error';
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

const ELF_MACHINES: Readonly<Record<number, string>> = { 3: 'x86', 40: 'ARM', 62: 'x64', 183: 'arm64', 243: 'RISC-V' };
const MACH_CPUS: Readonly<Record<number, string>> = { 7: 'x86', 12: 'ARM', 0x01000007: 'x64', 0x0100000c: 'arm64' };

/** What a binary was built for, from its header: `linux arm64`, `darwin x64`, `win32`. */
function binaryKind(path: string): string | undefined {
  const head = Buffer.alloc(20);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  if (head.readUInt32BE(0) === 0x7f454c46) {
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return `linux ${ELF_MACHINES[machine] ?? `machine ${machine}`}`;
  }
  if ([0xfeedface, 0xfeedfacf].includes(head.readUInt32LE(0))) {
    return `darwin ${MACH_CPUS[head.readUInt32LE(4)] ?? 'of an unknown processor'}`;
  }
  if (head.readUInt32BE(0) === 0xcafebabe) return 'darwin';
  return head.toString('latin1', 0, 2) === 'MZ' ? 'win32' : undefined;
}
