/** The variables by which users choose how environments are made (R52). */

/** What the variables say. */
export interface EnvironmentMode {
  /** `managed`: uv makes environments; `system`: `venv` and pip do; `managed-with-python`: uv brings the Python as well. */
  readonly mode: 'managed' | 'system' | 'managed-with-python' | undefined;
  /** `PYTHON_VERSION`, for example `3.11`. */
  readonly pythonVersion: string | undefined;
  /** Set when a value is ignored. */
  readonly warning: string | undefined;
}

const ALIASES: Readonly<Record<string, EnvironmentMode['mode']>> = {
  system: 'system',
  managed: 'managed',
  uv: 'managed',
  managed_with_python: 'managed-with-python',
  'managed-with-python': 'managed-with-python',
  uv_python: 'managed-with-python',
  'uv-python': 'managed-with-python',
};

/** Reads `PYTHON_ENV_MODE` and `PYTHON_VERSION`; a value that nobody knows is told, and ignored. */
export function environmentMode(env: NodeJS.ProcessEnv): EnvironmentMode {
  const wanted = env['PYTHON_ENV_MODE']?.trim().toLowerCase() ?? '';
  const version = env['PYTHON_VERSION']?.trim() ?? '';
  const mode = Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted] : undefined;
  const warnings: string[] = [];
  if (wanted !== '' && mode === undefined) {
    warnings.push(`PYTHON_ENV_MODE '${wanted}' is not known, expected one of ${Object.keys(ALIASES).join(', ')}`);
  }
  const hasVersion = /^\d+(\.\d+){0,2}$/.test(version);
  if (version !== '' && !hasVersion) {
    warnings.push(`PYTHON_VERSION '${version}' is not a version, expected for example 3.11`);
  }
  return {
    mode,
    pythonVersion: hasVersion ? version : undefined,
    warning: warnings.length === 0 ? undefined : warnings.join('; '),
  };
}
