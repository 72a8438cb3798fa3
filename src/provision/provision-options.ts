import type { ProcessLimits } from '../plugin-spec.ts';

/** What goes on while an environment is made. There is no silence timer: large wheels take minutes. */
export interface ProvisionProgress {
  /** `interpreter`, `installer`, `environment`, `install`, `compile`, `wait` or `warning`. */
  readonly phase: string;
  /** One line for people. */
  readonly message: string;
  /** From 0 to 1, where it is known. */
  readonly fraction?: number;
}

/** What the host adds to a plugin's own needs. */
export interface ProvisionOptions {
  /** Python that the host names: a path, or a command on PATH. @default the first suitable one on the machine */
  readonly interpreter?: string | undefined;
  /** Directory for everything that can be made again: environments, byte-code, answers of interpreters. */
  readonly cacheDir: string;
  readonly hostEnv: NodeJS.ProcessEnv;
  /** Variables granted to the plugin, with their values. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Names of host variables passed on to the plugin. */
  readonly passEnv?: readonly string[] | undefined;
  /** @default none */
  readonly limits?: ProcessLimits | undefined;
  /** @default 'exec' */
  readonly launcher?: 'exec' | 'fork' | undefined;
  /** Never use the network. @default false */
  readonly offline?: boolean | undefined;
  /** Directory of wheels to install from, instead of any index. */
  readonly wheelDir?: string | undefined;
  /** Allow source distributions, whose build scripts run with the host's rights. @default false */
  readonly allowBuilds?: boolean | undefined;
  /** Who makes environments: `uv` where it can be had, or always `venv` and pip. @default 'uv' */
  readonly installer?: 'uv' | 'pip' | undefined;
  /** Put on a one-shot's PYTHONPATH word for word, in place of the generated directory of neighbours. */
  readonly pluginsRoot?: string | undefined;
  /** Name under which environments are leased; see `releaseEnvironments`. @default 'process' */
  readonly owner?: string | undefined;
  readonly onProgress?: ((progress: ProvisionProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
