/** When two plugins share an environment. */
import { createHash } from 'node:crypto';
import type { Interpreter } from './interpreter.ts';

/** What decides which environment a plugin gets. */
export interface EnvironmentNeeds {
  readonly requirements: readonly string[];
  readonly interpreter: Interpreter;
  /** Whether the base interpreter's packages are visible in it. */
  readonly seesBase: boolean;
}

/** Name of the environment's directory: 16 hexadecimal digits (R49). */
export function environmentKey(needs: EnvironmentNeeds): string {
  const { interpreter } = needs;
  const parts = [interpreter.identity, interpreter.version, interpreter.platformTag, String(needs.seesBase)];
  const requirements = [...new Set(needs.requirements.map(normaliseRequirement))].filter((line) => line !== '').sort();
  return createHash('sha256')
    .update(JSON.stringify([parts, requirements]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * One spelling per requirement, for comparison only: installers get what the author wrote. Case, `_` and `.` of the name do
 * not matter, nor white space outside markers; everything else is compared as text. A line that is an installer's
 * option or a path is left as it is.
 */
export function normaliseRequirement(line: string): string {
  const text = line.trim();
  const name = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?=\s*(?:$|[><=!~[;@,(\s]))/.exec(text)?.[0];
  if (name === undefined) return text;
  const rest = text.slice(name.length);
  const semicolon = rest.indexOf(';');
  const specifier = (semicolon === -1 ? rest : rest.slice(0, semicolon)).replace(/\s+/g, '');
  const marker = semicolon === -1 ? '' : `;${rest.slice(semicolon + 1).trim()}`;
  return name.toLowerCase().replace(/[_.]/g, '-') + specifier + marker;
}
