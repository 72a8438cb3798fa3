/** Episode numbers in file names, and files to episodes (spec §2.7, O56). */

/** What a file name says; null where it says nothing. */
export interface EpisodeNumbers {
  readonly season: number | null;
  readonly episode: number | null;
}

/** A file that may be an episode. */
export interface Scene {
  readonly sceneId: string;
  readonly filePath: string;
  readonly filename: string;
}

/** An episode that a plugin knows of. */
export interface KnownEpisode {
  readonly seasonNumber: number;
  readonly episodeNumber: number;
  readonly title: string | null;
  readonly date: string | null;
  readonly details: string | null;
}

/** Scenes with their episodes in the order of the episodes, and the scenes that are left. */
export interface EpisodeMatches<S extends Scene = Scene, E extends KnownEpisode = KnownEpisode> {
  readonly matched: readonly { readonly scene: S; readonly episode: E }[];
  readonly unmatched: readonly S[];
}

const PATTERNS: readonly { readonly pattern: RegExp; readonly hasSeason: boolean }[] = [
  { pattern: /s(\d+)e(\d+)/i, hasSeason: true },
  { pattern: /(\d+)x(\d+)/i, hasSeason: true },
  { pattern: /e(\d+)/i, hasSeason: false },
  { pattern: /(?:^|[ ._-])(\d{2,3})(?=$|[ ._-])/, hasSeason: false },
];

/** The first of `S1E2`, `1x2`, `E2` and a number of two or three digits that stands alone. */
export function parseEpisodeFromFilename(filename: string): EpisodeNumbers {
  for (const { pattern, hasSeason } of PATTERNS) {
    const found = pattern.exec(filename);
    if (found === null) continue;
    const [first, second] = [Number(found[1]), Number(found[2])];
    return hasSeason ? { season: first, episode: second } : { season: null, episode: first };
  }
  return { season: null, episode: null };
}

/**
 * Gives each scene an episode: first those whose file name holds the number of one (its season is not looked at, and of
 * two episodes with one number the last one listed counts), then what is left by position, the files in natural order.
 */
export function matchScenesToEpisodes<S extends Scene, E extends KnownEpisode>(
  scenes: readonly S[],
  episodes: readonly E[],
): EpisodeMatches<S, E> {
  const byNumber = new Map(episodes.map((episode) => [episode.episodeNumber, episode]));
  const taken = new Set<number>();
  const matched: { scene: S; episode: E }[] = [];
  const left: S[] = [];
  for (const scene of scenes) {
    const number = parseEpisodeFromFilename(scene.filename).episode;
    const episode = number === null || taken.has(number) ? undefined : byNumber.get(number);
    if (episode === undefined) {
      left.push(scene);
      continue;
    }
    taken.add(episode.episodeNumber);
    matched.push({ scene, episode });
  }
  const free = episodes.filter((episode) => !taken.has(episode.episodeNumber)).sort(byEpisode);
  left.sort((a, b) => NATURAL_ORDER.compare(a.filename, b.filename));
  for (const [index, episode] of free.entries()) {
    const scene = left[index];
    if (scene !== undefined) matched.push({ scene, episode });
  }
  matched.sort((a, b) => byEpisode(a.episode, b.episode));
  return { matched, unmatched: left.slice(free.length) };
}

const NATURAL_ORDER = new Intl.Collator('en', { numeric: true });

function byEpisode(a: KnownEpisode, b: KnownEpisode): number {
  return a.seasonNumber - b.seasonNumber || a.episodeNumber - b.episodeNumber;
}
