import { describe, expect, it } from 'vitest';
import { runFidiusCommand } from '../fidius-command.ts';
import { parseToml } from '../../formats/fidius/toml-value.ts';
import { sizeText } from './archive-verbs.ts';
import { errorText } from './error-text.ts';
import { tableLines } from './toml-text.ts';

async function run(...argv: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const exit = await runFidiusCommand(argv, {
    cwd: '/',
    env: {},
    stdout: (text) => void (output.stdout += text),
    stderr: (text) => void (output.stderr += text),
  });
  return { exit, ...output };
}

describe('runFidiusCommand()', () => {
  it.each([
    [
      ['package', 'pack'],
      'error: the following required arguments were not provided:\n  <DIR>\n\nUsage: fidius package pack [OPTIONS] <DIR>',
    ],
    [['keygen', '--out'], "error: a value is required for '--out <OUT>' but none was supplied"],
    [['keygen', '--out', 'a', 'b'], "error: unexpected argument 'b' found"],
    [['package', 'nonsense'], "error: unrecognized subcommand 'nonsense'"],
    [
      ['package', 'pack', '--precompile=1', 'd'],
      "error: unexpected value '1' for '--precompile' found; no more were expected",
    ],
    [['--nonsense'], "error: unexpected argument '--nonsense' found"],
  ])('runFidiusCommand(%j) exits with 2 and says what is wrong (F14)', async (argv, start) => {
    const { exit, stdout, stderr } = await run(...argv);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(start)).toBe(true);
    expect(stderr).toContain("For more information, try '--help'.");
  });

  it.each([
    [['--help']],
    [['help']],
    [['package', '--help']],
    [['package', 'pack', '-h']],
    [['help', 'package', 'pack']],
  ])('runFidiusCommand(%j) prints help on standard output (F14)', async (argv) => {
    const { exit, stdout, stderr } = await run(...argv);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: fidius');
  });

  it('runFidiusCommand() takes a value after an equals sign and words after two dashes', async () => {
    const { stderr } = await run('package', 'unpack', '--dest=/nowhere', '--', '-odd-name');
    expect(stderr).toBe('error: archive error: failed to open -odd-name: No such file or directory (os error 2)\n');
  });

  it.each([['init-interface', 'x', '--trait', 'T'], ['init-host', 'x', '--trait', 'T', '--interface', 'i'], ['wit']])(
    'runFidiusCommand() says that %s is for native plugins',
    async (...argv) => {
      const { exit, stderr } = await run(...argv);
      expect(exit).toBe(1);
      expect(stderr).toMatch(/is for native plugins only/);
    },
  );
});

describe('sizeText()', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [1280, '1.2 KB'],
    [1281, '1.3 KB'],
    [1408, '1.4 KB'],
    [1024 * 1024 - 1, '1024.0 KB'],
    [1024 * 1024, '1.0 MB'],
  ])('sizeText(%i) is %s (F15)', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

describe('tableLines()', () => {
  it.each([
    ["a = 'it''", undefined],
    ['a = "it\'s"', 'a = "it\'s"'],
    ["a = 'back\\slash'", "a = 'back\\slash'"],
    ['a = "both \' and \\""', 'a = """both \' and """"'],
    ['a = "quote \\" and \\\\ both \'\'\'"', 'a = "quote \\" and \\\\ both \'\'\'"'],
    ['a = "tab\\there"', 'a = "tab\\there"'],
    ['a = "bell\\u0007\\""', 'a = "bell\\u0007\\""'],
    ['a = 1e21', 'a = 1000000000000000000000.0'],
    ['a = 1e-7', 'a = 0.0000001'],
    ['a = 2.50', 'a = 2.5'],
    ['a = -0.0', 'a = -0.0'],
    ['a = inf', 'a = inf'],
    ['a = []', 'a = []'],
    ['a = {}', 'a = {}'],
    ['a = { "b c" = 1, a = [1.0, "x"] }', 'a = { a = [1.0, "x"], "b c" = 1 }'],
    ['a = 07:32:00', 'a = { "$__toml_private_datetime" = "07:32:00" }'],
  ])('tableLines() writes %s as %s', (source, expected) => {
    const document = parseToml(source);
    if ('reason' in document) expect(expected).toBeUndefined();
    else expect(tableLines(document.root)).toEqual([expected]);
  });
});

describe('errorText()', () => {
  it('errorText() gives the text of errors that the original does not know', () => {
    expect(errorText(new Error('plain'))).toBe('plain');
    expect(errorText('text')).toBe('text');
  });
});
