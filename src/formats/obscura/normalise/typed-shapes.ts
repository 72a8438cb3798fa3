/** Family B, "typed": Movie, Series, Season, Episode, ImageCandidate, CastMember (spec §2.6, O32). */
import { isRecord } from '../record.ts';
import { externalIds, fieldsOf, imageAddress, integerB, members, names, numberB, present, text } from './coercions.ts';

/** One image that a work may be shown with (family B). */
export interface ImageCandidate {
  readonly url: string;
  readonly language: string | null;
  readonly width?: number;
  readonly height?: number;
  readonly aspectRatio?: number;
  readonly rank?: number;
  readonly source: string;
}

/** One actor or guest of a work. */
export interface CastMember {
  readonly name: string;
  readonly character: string | null;
  readonly order: number | null;
  readonly profileUrl: string | null;
}

interface TitledResult {
  readonly originalTitle: string | null;
  readonly overview: string | null;
  readonly tagline: string | null;
  readonly genres: readonly string[];
  readonly studioName: string | null;
  readonly cast: readonly CastMember[];
  readonly posterCandidates: readonly ImageCandidate[];
  readonly backdropCandidates: readonly ImageCandidate[];
  readonly logoCandidates: readonly ImageCandidate[];
  readonly externalIds: Readonly<Record<string, string>>;
}

/** A film of family B. */
export interface MovieResult extends TitledResult {
  readonly title: string;
  readonly releaseDate: string | null;
  /** In minutes. */
  readonly runtime: number | null;
  readonly rating: number | null;
  readonly contentRating: string | null;
}

/** How a series goes on; anything else a plugin says is null. */
export type SeriesStatus = 'returning' | 'ended' | 'canceled' | 'unknown';

/** One of several series that a plugin cannot choose between. */
export interface SeriesCandidate {
  readonly externalIds: Readonly<Record<string, string>>;
  readonly title: string;
  readonly year: number | null;
  readonly overview: string | null;
  readonly posterUrl: string | null;
  readonly popularity: number | null;
}

/** A series of family B with its seasons, or with candidates to choose from. */
export interface SeriesResult extends TitledResult {
  /** Null only where the plugin gave nothing but candidates. */
  readonly title: string | null;
  readonly firstAirDate: string | null;
  readonly endAirDate: string | null;
  readonly status: SeriesStatus | null;
  readonly seasons: readonly SeasonResult[];
  readonly candidates?: readonly SeriesCandidate[];
}

/** A season of a series. */
export interface SeasonResult {
  readonly seasonNumber: number;
  readonly title: string | null;
  readonly overview: string | null;
  readonly airDate: string | null;
  readonly posterCandidates: readonly ImageCandidate[];
  readonly externalIds: Readonly<Record<string, string>>;
  readonly episodes: readonly EpisodeResult[];
}

/** An episode of a season. */
export interface EpisodeResult {
  readonly seasonNumber: number;
  readonly episodeNumber: number;
  readonly absoluteEpisodeNumber: number | null;
  readonly title: string | null;
  readonly overview: string | null;
  readonly airDate: string | null;
  /** In minutes. */
  readonly runtime: number | null;
  readonly stillCandidates: readonly ImageCandidate[];
  readonly guestStars: readonly CastMember[];
  readonly externalIds: Readonly<Record<string, string>>;
  readonly matched?: boolean;
  readonly localFilePath: string | null;
}

/** A plugin's result as a Movie, or null without a title. */
export function normalizeMovieResult(raw: unknown): MovieResult | null {
  const field = fieldsOf(raw);
  const title = text(field('title'));
  if (title === null) return null;
  return {
    title,
    ...titledFields(field),
    releaseDate: text(field('releaseDate')),
    runtime: integerB(field('runtime')),
    rating: numberB(field('rating')),
    contentRating: text(field('contentRating')),
  };
}

/** A plugin's result as a Series, or null with neither a title nor candidates (the original drops candidates: W31). */
export function normalizeSeriesResult(raw: unknown): SeriesResult | null {
  const field = fieldsOf(raw);
  const title = text(field('title'));
  const given = field('candidates');
  const candidates = Array.isArray(given) ? kept(given, seriesCandidate) : undefined;
  if (title === null && (candidates === undefined || candidates.length === 0)) return null;
  return {
    title,
    ...titledFields(field),
    firstAirDate: text(field('firstAirDate')),
    endAirDate: text(field('endAirDate')),
    status: seriesStatus(field('status')),
    seasons: kept(field('seasons'), normalizeSeasonResult),
    ...(candidates === undefined ? {} : { candidates }),
  };
}

/** One member of `seasons` as a Season, or null where it is no object. */
export function normalizeSeasonResult(raw: unknown): SeasonResult | null {
  if (!isRecord(raw)) return null;
  const field = fieldsOf(raw);
  return {
    seasonNumber: integerB(field('seasonNumber')) ?? 0,
    title: text(field('title')),
    overview: text(field('overview')),
    airDate: text(field('airDate')),
    posterCandidates: kept(field('posterCandidates'), normalizeImageCandidate),
    externalIds: externalIds(field('externalIds')),
    episodes: kept(field('episodes'), normalizeEpisodeResult),
  };
}

/** One member of `episodes` as an Episode, or null without a number. */
export function normalizeEpisodeResult(raw: unknown): EpisodeResult | null {
  const field = fieldsOf(raw);
  const episodeNumber = integerB(field('episodeNumber'));
  if (episodeNumber === null) return null;
  const matched = field('matched');
  return {
    seasonNumber: integerB(field('seasonNumber')) ?? 0,
    episodeNumber,
    absoluteEpisodeNumber: integerB(field('absoluteEpisodeNumber')),
    title: text(field('title')),
    overview: text(field('overview')),
    airDate: text(field('airDate')),
    runtime: integerB(field('runtime')),
    stillCandidates: kept(field('stillCandidates'), normalizeImageCandidate),
    guestStars: castMembers(field('guestStars')),
    externalIds: externalIds(field('externalIds')),
    ...(typeof matched === 'boolean' ? { matched } : {}),
    localFilePath: text(field('localFilePath')),
  };
}

/** One member of a candidate list as an ImageCandidate, or null without a usable address. */
export function normalizeImageCandidate(value: unknown): ImageCandidate | null {
  const field = fieldsOf(value);
  const url = imageAddress(field('url'));
  if (url === null) return null;
  return {
    url,
    language: text(field('language')),
    ...present({
      width: integerB(field('width')),
      height: integerB(field('height')),
      aspectRatio: numberB(field('aspectRatio')),
      rank: numberB(field('rank')),
    }),
    source: text(field('source')) ?? 'unknown',
  };
}

function titledFields(field: (key: string) => unknown): TitledResult {
  return {
    originalTitle: text(field('originalTitle')),
    overview: text(field('overview')),
    tagline: text(field('tagline')),
    genres: names(field('genres')),
    studioName: text(field('studioName')),
    cast: castMembers(field('cast')),
    posterCandidates: kept(field('posterCandidates'), normalizeImageCandidate),
    backdropCandidates: kept(field('backdropCandidates'), normalizeImageCandidate),
    logoCandidates: kept(field('logoCandidates'), normalizeImageCandidate),
    externalIds: externalIds(field('externalIds')),
  };
}

function seriesStatus(value: unknown): SeriesStatus | null {
  const status = text(value);
  return status === 'returning' || status === 'ended' || status === 'canceled' || status === 'unknown' ? status : null;
}

function seriesCandidate(value: unknown): SeriesCandidate | null {
  const field = fieldsOf(value);
  const title = text(field('title'));
  if (title === null) return null;
  return {
    externalIds: externalIds(field('externalIds')),
    title,
    year: integerB(field('year')),
    overview: text(field('overview')),
    posterUrl: text(field('posterUrl')),
    popularity: numberB(field('popularity')),
  };
}

function castMembers(value: unknown): CastMember[] {
  const cast = new Map<string, CastMember>();
  for (const member of members(value)) {
    const field = fieldsOf(member);
    const name = text(field('name'));
    if (name === null || cast.has(name.toLowerCase())) continue;
    const [character, order] = [text(field('character')), integerB(field('order'))];
    cast.set(name.toLowerCase(), { name, character, order, profileUrl: text(field('profileUrl')) });
  }
  return [...cast.values()];
}

function kept<T>(value: unknown, normalise: (member: unknown) => T | null): T[] {
  return members(value)
    .map(normalise)
    .filter((member): member is T => member !== null);
}
