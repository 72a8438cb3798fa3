/** What `npm publish` would send: everything a user needs, nothing that only we need. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { readProjectFile, report, repositoryRoot } from './source-files.ts';

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readProjectFile('package.json')) as Manifest;
const packed = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as readonly { readonly files: readonly { readonly path: string }[] }[];
const files = new Set(packed[0]?.files.map((file) => file.path) ?? []);

report('package', [...missing(), ...unwanted(), ...undecided()]);

function missing(): string[] {
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  const wanted = [...Object.values(manifest.bin), ...targets].map((path) => path.replace(/^\.\//, ''));
  return [...wanted, 'runner/charmer_runner.py', 'runner/charmer_supervisor.py', 'LICENSE', 'README.md'].flatMap(
    (path) => {
      if (!existsSync(join(repositoryRoot, path))) return [`'${path}' does not exist`];
      return files.has(path) ? [] : [`'${path}' is not in the package`];
    },
  );
}

function unwanted(): string[] {
  return [...files]
    .filter((path) => /\.test\.|__pycache__|\/tests\/|\.tsbuildinfo$/.test(path))
    .map((path) => `'${path}' is in the package`);
}

/** Each dependency has a line with its reason. */
function undecided(): string[] {
  const page = readProjectFile('docs/decisions/0002-dependencies.md');
  return Object.keys(manifest.dependencies)
    .filter((name) => !page.includes(`\`${name}\``))
    .map((name) => `the dependency '${name}' has no line in docs/decisions/0002-dependencies.md`);
}
