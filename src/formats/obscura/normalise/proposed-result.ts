/** What is stored when a plugin's result is saved (spec §2.6, O33, W31). */
import { isRecord, ownValue } from '../record.ts';
import { integerB } from './coercions.ts';
import { hasUsableVideoResult, normalizeVideoResult, type VideoResult } from './flat-shapes.ts';
import {
  normalizeEpisodeResult,
  normalizeMovieResult,
  normalizeSeriesResult,
  type EpisodeResult,
  type MovieResult,
  type SeriesResult,
} from './typed-shapes.ts';

/** An episode is stored in its wrapper: its fields alone could be a movie's. */
export interface ProposedEpisode {
  readonly kind: 'episode';
  readonly episode: EpisodeResult;
}

/** What is stored when a result is saved. */
export type ProposedResult = SeriesResult | MovieResult | ProposedEpisode | VideoResult;

/** What tells the shape of a result that does not name it. */
export interface ProposalOptions {
  /** The action that gave the result: `movieByName` makes a movie of what its fields alone do not tell. */
  readonly action?: string;
  /** Whether the original's rule is kept: a series first, whatever it loses. @default false */
  readonly strict?: boolean;
}

type Kind = 'series' | 'movie' | 'episode' | 'video';

/** The shape of a result, or null where it has none: wrapper first, then action, then the fields it has. */
export function deriveProposedResultFromPluginOutput(
  result: unknown,
  options: ProposalOptions = {},
): ProposedResult | null {
  if (!isRecord(result)) return null;
  const kind = ownValue(result, 'kind');
  if (kind === 'series' || kind === 'movie' || kind === 'episode') {
    const inner = ownValue(result, kind);
    if (typeof inner === 'object' && inner !== null) return shaped(inner, kind);
  }
  if (options.strict === true) return strictProposal(result);
  return shaped(result, kindOfAction(options.action, result) ?? kindOfFields(result));
}

function shaped(fields: unknown, kind: Kind): ProposedResult | null {
  if (kind === 'series') return normalizeSeriesResult(fields);
  if (kind === 'movie') return normalizeMovieResult(fields);
  if (kind === 'episode') return episode(fields);
  const video = normalizeVideoResult(fields);
  return video.title !== null && hasUsableVideoResult(video) ? video : null;
}

function strictProposal(result: unknown): ProposedResult | null {
  const series = normalizeSeriesResult(result);
  if (series !== null && series.title !== null) return series;
  return normalizeMovieResult(result) ?? episode(result);
}

function episode(fields: unknown): ProposedEpisode | null {
  const normalised = normalizeEpisodeResult(fields);
  return normalised === null ? null : { kind: 'episode', episode: normalised };
}

/** Actions for videos and folders may answer with several shapes, so only the others decide. */
function kindOfAction(action: string | undefined, result: Record<string, unknown>): Kind | undefined {
  if (action === undefined) return undefined;
  if (action.startsWith('movie')) return 'movie';
  if (action.startsWith('series')) return 'series';
  if (action.startsWith('episode') && hasNumber(result, 'episodeNumber')) return 'episode';
  return undefined;
}

function kindOfFields(result: Record<string, unknown>): Kind {
  const has = (...keys: readonly string[]): boolean => keys.some((key) => (ownValue(result, key) ?? null) !== null);
  if (hasNumber(result, 'seasonNumber') && hasNumber(result, 'episodeNumber')) return 'episode';
  if (has('releaseDate') || hasNumber(result, 'runtime')) return 'movie';
  if (has('seasons', 'firstAirDate', 'endAirDate', 'candidates')) return 'series';
  if (has('rating', 'contentRating')) return 'movie';
  if (!has('title') && hasNumber(result, 'episodeNumber')) return 'episode';
  const isVideo = has(
    ...['date', 'details', 'urls', 'url', 'performerNames', 'performers', 'tagNames', 'tags', 'imageUrl', 'image'],
    ...['code', 'director', 'series', 'episodeNumber', 'episode_number', 'studio'],
  );
  return isVideo ? 'video' : 'series';
}

function hasNumber(result: Record<string, unknown>, key: string): boolean {
  return integerB(ownValue(result, key)) !== null;
}
