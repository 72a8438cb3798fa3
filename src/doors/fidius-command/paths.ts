import path from 'node:path';

/** Joins as Rust does: nothing is tidied, an absolute second part wins. */
export function joinPath(directory: string, name: string): string {
  if (name.startsWith('/')) return name;
  return directory === '' || directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/** Where a path of the command line is. */
export function locateFrom(cwd: string, name: string): string {
  return path.resolve(cwd, name);
}
