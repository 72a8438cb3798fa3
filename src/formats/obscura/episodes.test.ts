import { describe, expect, it } from 'vitest';

import { matchScenesToEpisodes, parseEpisodeFromFilename, type KnownEpisode } from './episodes.ts';

describe('parseEpisodeFromFilename()', () => {
  it.each([
    ['Show.S01E03.mkv', 1, 3],
    ['Show 1X03', 1, 3],
    ['Apple2.mkv', null, 2],
    ['01_02', null, 1],
    ['a-12', null, 12],
    ['Show.1234.mkv', null, null],
    ['1', null, null],
  ])('reads %s as season %s, episode %s (O56)', (filename, season, episode) => {
    expect(parseEpisodeFromFilename(filename)).toEqual({ season, episode });
  });
});

describe('matchScenesToEpisodes()', () => {
  const scene = (filename: string) => ({ sceneId: filename, filePath: `/m/${filename}`, filename });
  const episode = (seasonNumber: number, episodeNumber: number): KnownEpisode => ({
    seasonNumber,
    episodeNumber,
    title: null,
    date: null,
    details: null,
  });

  it('gives leftovers by position in natural order, and leaves its arguments alone (O56)', () => {
    const scenes = [scene('part b'), scene('S01E02'), scene('part 10x'), scene('part 9x')];
    const { matched, unmatched } = matchScenesToEpisodes(scenes, [episode(1, 3), episode(1, 2), episode(1, 1)]);
    expect(matched.map((each) => [each.scene.sceneId, each.episode.episodeNumber])).toEqual([
      ['part 9x', 1],
      ['S01E02', 2],
      ['part 10x', 3],
    ]);
    expect(unmatched.map(({ sceneId }) => sceneId)).toEqual(['part b']);
    expect(scenes[0]?.sceneId).toBe('part b');
  });
});
