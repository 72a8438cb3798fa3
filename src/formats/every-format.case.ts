/** Behaviours that every format shows. A skip carries its reason. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManifestError } from '../errors.ts';
import type { PluginSpec } from '../plugin-spec.ts';
import type { PluginFormat, ReadonlyTree } from './format.ts';

/** What the suite needs to know of one format. */
export interface FormatCase {
  readonly format: PluginFormat;
  /** Files of a small plugin that works, its manifest included. */
  readonly files: Readonly<Record<string, string>>;
  /** A text that is no manifest in the format's language. */
  readonly broken: string;
}

/** Runs the shared behaviours for one format. */
export function everyFormat({ format, files, broken }: FormatCase): void {
  describe(`${format.name}, as every format`, () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'charmer-format-'));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    const read = (changes: Readonly<Record<string, string | undefined>> = {}): PluginSpec =>
      format.read(treeOf(directory, { ...files, ...changes }));

    it('format.read() says which format read the directory, and where it is', () => {
      expect(read()).toMatchObject({ format: format.name, directory });
      expect(read().id).not.toBe('');
      expect(read().version).not.toBe('');
    });

    it('format.read() is pure: the same files give the same spec', () => {
      expect(read()).toEqual(read());
    });

    it('format.read() gives data that JSON can hold', () => {
      expect(JSON.parse(JSON.stringify(read()))).toEqual(read());
    });

    it('format.read() gives absolute directories to import from', () => {
      const { importFirst, importLast } = read().python;
      expect([...importFirst, ...importLast].every((path) => isAbsolute(path))).toBe(true);
    });

    it('format.read() throws MANIFEST_NOT_FOUND where there is no manifest', () => {
      expect(() => read({ [format.manifestFile]: undefined })).toThrow(
        expect.objectContaining({ code: 'MANIFEST_NOT_FOUND' }) as ManifestError,
      );
    });

    it('format.read() names file and line of a broken manifest', () => {
      try {
        read({ [format.manifestFile]: broken });
      } catch (error) {
        expect(error).toBeInstanceOf(ManifestError);
        expect(error).toMatchObject({ code: 'MANIFEST_INVALID', path: expect.stringContaining(format.manifestFile) });
        expect((error as ManifestError).line).toBeGreaterThan(0);
        return;
      }
      throw new Error('it did not throw');
    });

    it('format.conversation is a Python half that exists, or two pure functions', () => {
      const { conversation } = format;
      if (conversation.kind === 'resident') {
        expect(existsSync(conversation.dialect)).toBe(true);
        return;
      }
      const call = { operation: 'any', mode: 'single', input: {}, auth: {}, strict: false } as const;
      expect(conversation.encodeCall(read(), call)).toEqual(conversation.encodeCall(read(), call));
    });

    it('format.archive names an extension without a dot and a signature at the root', () => {
      expect(format.archive.extension).toMatch(/^[a-z0-9.]+$/);
      expect(format.archive.extension.startsWith('.')).toBe(false);
      expect(format.archive.signatureFile).not.toContain('/');
    });
  });
}

/** Files on disk, since formats may look at neighbours, read through the window that formats have. */
function treeOf(directory: string, files: Readonly<Record<string, string | undefined>>): ReadonlyTree {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) if (text !== undefined) writeFileSync(join(directory, name), text);
  return {
    directory,
    read: (path) => (files[path] === undefined ? undefined : new TextEncoder().encode(files[path])),
    kind: (path) => (files[path] === undefined ? 'absent' : 'file'),
    list: () => Object.keys(files).sort(),
  };
}
