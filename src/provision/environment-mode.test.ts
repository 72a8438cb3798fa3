import { describe, expect, it } from 'vitest';
import { environmentMode } from './environment-mode.ts';

describe('environmentMode()', () => {
  it.each([
    ['system', 'system'],
    ['managed', 'managed'],
    ['uv', 'managed'],
    ['managed_with_python', 'managed-with-python'],
    ['managed-with-python', 'managed-with-python'],
    ['uv_python', 'managed-with-python'],
    ['uv-python', 'managed-with-python'],
  ])('environmentMode() takes PYTHON_ENV_MODE %j for %j (R52)', (value, mode) => {
    expect(environmentMode({ PYTHON_ENV_MODE: value })).toEqual({ mode, pythonVersion: undefined, warning: undefined });
  });

  it('environmentMode() warns of values that nobody knows, and ignores them (R52)', () => {
    expect(environmentMode({ PYTHON_ENV_MODE: 'conda', PYTHON_VERSION: 'latest' })).toEqual({
      mode: undefined,
      pythonVersion: undefined,
      warning:
        "PYTHON_ENV_MODE 'conda' is not known, expected one of system, managed, uv, managed_with_python, " +
        "managed-with-python, uv_python, uv-python; PYTHON_VERSION 'latest' is not a version, expected for example 3.11",
    });
    expect(environmentMode({ PYTHON_ENV_MODE: 'constructor' }).mode).toBeUndefined();
  });

  it('environmentMode() reads PYTHON_VERSION and says nothing of variables that are not set (R52)', () => {
    expect(environmentMode({ PYTHON_VERSION: '3.11' })).toMatchObject({ pythonVersion: '3.11', warning: undefined });
    expect(environmentMode({})).toEqual({ mode: undefined, pythonVersion: undefined, warning: undefined });
    expect(environmentMode({ PYTHON_ENV_MODE: '' })).toMatchObject({ mode: undefined, warning: undefined });
  });
});
