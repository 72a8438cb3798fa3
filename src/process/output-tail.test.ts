import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type OutputTailOptions, tailOutput } from './output-tail.ts';

async function tailOf(chunks: readonly (Buffer | string)[], options?: OutputTailOptions): Promise<readonly string[]> {
  const stream = new PassThrough();
  const tail = tailOutput(stream, options);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await tail.ended;
  return tail.lines;
}

describe('tailOutput()', () => {
  it('tailOutput() decodes a character that arrives in two pieces', async () => {
    const bytes = Buffer.from('añb\n');
    expect(await tailOf([bytes.subarray(0, 2), bytes.subarray(2)])).toEqual(['añb']);
  });

  it('tailOutput() keeps empty lines, lines without an end and both kinds of line ends', async () => {
    expect(await tailOf(['one\r\n\n', 'three'])).toEqual(['one', '', 'three']);
    expect(await tailOf([])).toEqual([]);
    expect(await tailOf(['\n'])).toEqual(['']);
  });

  it('tailOutput() keeps whole last lines and says how much was cut', async () => {
    expect(await tailOf(['first line\n', 'second\n', 'third\n'], { maxBytes: 15 })).toEqual([
      '[11 bytes before this were cut]',
      'second',
      'third',
    ]);
    expect(await tailOf(['1\n2\n3\n'], { maxLines: 2 })).toEqual(['[2 bytes before this were cut]', '2', '3']);
  });

  it('tailOutput() keeps the end of a single line that is too long', async () => {
    expect(await tailOf(['x'.repeat(100)], { maxBytes: 10 })).toEqual([
      '[90 bytes before this were cut]',
      'x'.repeat(10),
    ]);
  });

  it('tailOutput() tells every line with its label, long ones in pieces, the last without an end', async () => {
    const heard: string[] = [];
    const onLine = (line: string, label: string): number =>
      heard.push(`${label}:${line.length > 20 ? line.length : line}`);
    await tailOf(['a', 'b\nc\n\n', 'y'.repeat(40_000), '\nlast'], { label: 'err', onLine });
    expect(heard).toEqual(['err:ab', 'err:c', 'err:', 'err:16384', 'err:16384', 'err:7232', 'err:last']);
  });

  it('tailOutput() settles when the stream breaks', async () => {
    const stream = new PassThrough();
    const tail = tailOutput(stream);
    stream.write('before\n');
    stream.destroy(new Error('broken'));
    await tail.ended;
    expect(tail.bytes).toBe(7);
  });
});
