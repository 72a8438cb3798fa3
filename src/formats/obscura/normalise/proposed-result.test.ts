import { describe, expect, it } from 'vitest';

import { deriveProposedResultFromPluginOutput as derive } from './proposed-result.ts';

describe('deriveProposedResultFromPluginOutput()', () => {
  it.each<[string, unknown, object]>([
    ['a release date', { title: 'M', releaseDate: '1999' }, { title: 'M', releaseDate: '1999' }],
    ['a runtime in text', { title: 'M', runtime: '90 min' }, { title: 'M', runtime: 90 }],
    ['a rating alone', { title: 'M', rating: 8 }, { title: 'M', rating: 8 }],
    [
      'season and episode',
      { title: 'E', seasonNumber: 1, episodeNumber: 2 },
      { kind: 'episode', episode: { title: 'E' } },
    ],
    ['seasons', { title: 'S', seasons: [] }, { title: 'S', seasons: [] }],
    ['nothing but a title', { title: 'S' }, { title: 'S', seasons: [] }],
    ['candidates alone', { candidates: [{ title: 'S' }] }, { title: null, candidates: [{ title: 'S' }] }],
    ['performers', { title: 'V', performers: ['A'] }, { title: 'V', performerNames: ['A'] }],
  ])('chooses the shape by %s, and loses nothing (W31)', (_what, result, expected) => {
    expect(derive(result)).toMatchObject(expected);
  });

  it('lets the action decide where it can (W31)', () => {
    expect(derive({ title: 'M' }, { action: 'movieByName' })).toMatchObject({ title: 'M', releaseDate: null });
    expect(derive({ title: 'S', runtime: 5 }, { action: 'seriesByName' })).toMatchObject({ seasons: [] });
    expect(derive({ title: 'E', episodeNumber: 3 }, { action: 'episodeByName' })).toMatchObject({ kind: 'episode' });
  });

  it('takes a wrapper by its word, whatever the action (O33)', () => {
    expect(derive({ kind: 'movie', movie: { title: 'M' } }, { action: 'seriesByName' })).toMatchObject({
      releaseDate: null,
    });
    expect(derive({ kind: 'movie', movie: {} })).toBeNull();
    expect(derive({ kind: 'Movie', movie: { title: 'M' } })).toBeNull();
  });

  it('keeps the original’s rule for a strict call: a series first', () => {
    const bare = derive({ title: 'M', releaseDate: '1999' }, { strict: true });
    expect(bare).toMatchObject({ seasons: [] });
    expect(bare).not.toHaveProperty('releaseDate');
    expect(derive({ seasonNumber: 1, episodeNumber: 2 }, { strict: true })).toMatchObject({ kind: 'episode' });
    expect(derive({ candidates: [{ title: 'S' }] }, { strict: true })).toBeNull();
  });

  it.each([null, 'text', [{ title: 'S' }], {}, { name: 'N', trackCount: 3 }])('is null for %j', (result) => {
    expect(derive(result)).toBeNull();
  });
});
