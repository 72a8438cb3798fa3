import { describe, expect, it } from 'vitest';
import { CharmerError } from '../../errors.ts';
import type { ReadonlyTree } from '../format.ts';
import { fidius } from './index.ts';

const MANIFEST = `[package]
name = "greeter"
version = "0.1.0"
interface = "Greeter"
interface_version = 2
runtime = "python"

[metadata]
summary = "Says hello"

[python]
entry_module = "acme.hello"
`;

describe('fidius.read()', () => {
  it('read() gives the spec of a package, imports in the order of the original (F1, F20)', () => {
    const spec = fidius.read(tree({ 'package.toml': MANIFEST }));
    expect(spec).toMatchObject({ format: 'fidius', id: 'greeter', version: '0.1.0', description: 'Says hello' });
    expect(spec.opening).toMatchObject({ entryModule: 'acme.hello', interfaceVersion: 2, hasVendor: false });
    expect(spec.python.importFirst.slice(0, 2)).toEqual(['/plugin/vendor', '/plugin']);
    expect(spec.python.importFirst[2]).toMatch(/src\/formats\/fidius\/python$/);
    expect(spec.python.seesBaseSitePackages).toBe(true);
  });

  it('read() asks for the requirements of a package that vendors none, included files too', () => {
    const spec = fidius.read(
      tree({
        'package.toml': MANIFEST,
        'requirements.txt': 'a==1 \\\n  --hash=sha256:00 # pinned\n\n-r more/base.txt\n--index-url https://x\n',
        'more/base.txt': 'b>=2 ; python_version > "3.8"\n-r ../requirements-missing.txt\n',
      }),
    );
    expect(spec.python.requirements).toEqual(['a==1 --hash=sha256:00', 'b>=2 ; python_version > "3.8"']);
    expect(spec.findings).toMatchObject([{ severity: 'warning', file: 'requirements.txt', line: 5 }]);
  });

  it('read() asks for nothing when the package has a vendor directory', () => {
    const spec = fidius.read(tree({ 'package.toml': MANIFEST, 'requirements.txt': 'a==1', 'vendor/a.py': '' }));
    expect(spec.python.requirements).toEqual([]);
    expect(spec.opening['hasVendor']).toBe(true);
  });

  it('read() refuses packages of other runtimes, which tools may still inspect (F2)', () => {
    const rust = MANIFEST.replace('runtime = "python"\n', '').replace(/\[python\][\s\S]*/, '');
    expect(failure({ 'package.toml': rust })).toMatchObject({
      code: 'NATIVE_PLUGIN_UNSUPPORTED',
      message: "Package 'greeter' has runtime 'rust', expected 'python'",
    });
  });

  it('read() names file, line, column and key of what is wrong', () => {
    const wrong = MANIFEST.replace('interface_version = 2', 'interface_version = -2');
    expect(failure({ 'package.toml': wrong })).toMatchObject({
      code: 'MANIFEST_INVALID',
      path: '/plugin/package.toml',
      line: 5,
      column: 21,
      key: 'package.interface_version',
    });
    expect(failure({})).toMatchObject({ code: 'MANIFEST_NOT_FOUND' });
  });
});

describe('fidius.conversation', () => {
  it('opening() carries interface, configuration and strictness beside the spec', () => {
    if (fidius.conversation.kind !== 'resident') throw new TypeError('expected a resident conversation');
    const spec = fidius.read(tree({ 'package.toml': MANIFEST }));
    const request = { interface: { name: 'G', hash: '0x1', methods: [{ name: 'greet' }] }, config: 1, strict: true };
    expect(fidius.conversation.opening(spec, request)).toMatchObject({ ...request, entryModule: 'acme.hello' });
  });

  it.each([
    [{ hash: '0x1', methods: [] }, 'name'],
    [{ name: 'G', hash: 'd66a', methods: [] }, 'hash'],
    [{ name: 'G', hash: '0x1' }, 'methods'],
    [{ name: 'G', hash: '0x1', methods: [{ name: 'a' }, { name: 'a' }] }, 'methods[1].name'],
    [{ name: 'G', hash: '0x1', methods: [{ name: 'a', kind: 'node' }] }, 'methods[0].kind'],
  ])('opening() refuses the descriptor %j, naming the field', (descriptor, key) => {
    const { conversation } = fidius;
    if (conversation.kind !== 'resident') throw new TypeError('expected a resident conversation');
    const spec = fidius.read(tree({ 'package.toml': MANIFEST }));
    expect(() => conversation.opening(spec, { interface: descriptor })).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID', key }),
    );
  });
});

function failure(files: Record<string, string>): CharmerError {
  try {
    fidius.read(tree(files));
  } catch (error) {
    if (error instanceof CharmerError) return error;
  }
  throw new TypeError('expected a coded error');
}

function tree(files: Readonly<Record<string, string>>): ReadonlyTree {
  const below = (path: string): string[] => Object.keys(files).filter((name) => name.startsWith(`${path}/`));
  return {
    directory: '/plugin',
    read: (path) => (path in files ? Buffer.from(files[path] ?? '') : undefined),
    kind: (path) => (path in files ? 'file' : below(path).length > 0 ? 'directory' : 'absent'),
    list: () => [],
  };
}
