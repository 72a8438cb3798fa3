import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Version of the original that is built. */
const VERSION = '0.5.9';
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The original's programs, built from their registry packages into a cache. */
export interface OriginalTools {
  /** Runs `fidius`; an exit code other than 0 is part of the answer. */
  fidius(
    argv: readonly string[],
    cwd: string,
  ): { readonly exit: number; readonly stdout: string; readonly stderr: string };
  /** Loads a package into the real host and calls its first method with `World`; the debug text of the answer. */
  load(searchPath: string, name: string, hash: string, methods: readonly string[]): string;
}

/**
 * Builds what is not built yet: minutes the first time, nothing later. Needs `cargo`, and for the host the development
 * files of a CPython (`CHARMER_INTEROP_PYTHON` names another interpreter than `python3`).
 */
export function buildOriginalTools(report: (line: string) => void): OriginalTools {
  const cache = process.env['CHARMER_INTEROP_CACHE'] ?? path.join(root, '.tools', 'interop');
  const command = path.join(cache, 'bin', 'fidius');
  if (!existsSync(command)) {
    report(`building fidius-cli ${VERSION} into '${cache}'`);
    cargo(['install', 'fidius-cli', '--version', VERSION, '--locked', '--root', cache], root);
  }
  const host = buildHost(path.join(cache, 'host'), report);
  return {
    fidius: (argv, cwd) => {
      const { status, stdout, stderr } = spawnSync(command, argv, { cwd, encoding: 'utf8' });
      return { exit: status ?? -1, stdout, stderr };
    },
    load: (searchPath, name, hash, methods) => {
      const sdk = path.join(root, 'src', 'formats', 'fidius', 'python');
      const env = { ...process.env, PYTHONPATH: sdk, PYTHONDONTWRITEBYTECODE: '1' };
      return spawnSync(host, [searchPath, name, hash, ...methods], { env, encoding: 'utf8' }).stdout.trim();
    },
  };
}

const CARGO_TOML = `[package]
name = "interop-host"
version = "0.1.0"
edition = "2021"

[dependencies]
fidius-core = "=${VERSION}"
fidius-host = { version = "=${VERSION}", features = ["python"] }
`;

function buildHost(directory: string, report: (line: string) => void): string {
  const program = path.join(directory, 'target', 'release', 'interop-host');
  const source = readFileSync(fileURLToPath(new URL('host-main.rs', import.meta.url)), 'utf8');
  const present = path.join(directory, 'src', 'main.rs');
  if (existsSync(program) && readFileSync(present, 'utf8') === source) return program;
  report(`building a program with fidius-host ${VERSION} in '${directory}'`);
  mkdirSync(path.join(directory, 'src'), { recursive: true });
  writeFileSync(path.join(directory, 'Cargo.toml'), CARGO_TOML);
  writeFileSync(present, source);
  cargo(['build', '--release'], directory);
  return program;
}

function cargo(words: readonly string[], cwd: string): void {
  const python = process.env['CHARMER_INTEROP_PYTHON'] ?? '/usr/bin/python3';
  execFileSync('cargo', words, { cwd, stdio: 'inherit', env: { ...process.env, PYO3_PYTHON: python } });
}
