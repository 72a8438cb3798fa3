import { describe, expect, it } from 'vitest';
import { Marks } from './marks.ts';

describe('Marks', () => {
  it('take() gives a number back only after all others, and never one that is in use', () => {
    const marks = new Marks();
    const first = marks.take();
    const kept = marks.take();
    marks.release(first);
    const seen = new Set<number>();
    for (let count = 0; count < 3998; count++) {
      const mark = marks.take();
      seen.add(mark);
      marks.release(mark);
    }
    expect(seen.has(first)).toBe(false);
    expect(marks.take()).toBe(first);
    expect(seen.has(kept)).toBe(false);
    expect(marks.take()).not.toBe(kept);
  });
});
