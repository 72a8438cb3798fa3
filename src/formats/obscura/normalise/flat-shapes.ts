/** Family A, "flat": Video, Folder, Gallery, Image, AudioTrack, AudioLibrary (spec §2.6, O32). */
import { addresses, aliased, countA, fieldsOf, imageAddress, names, present, text } from './coercions.ts';

/** The series that a video belongs to. */
export interface VideoSeries {
  readonly name: string;
  readonly externalId?: string;
  readonly season?: number;
  readonly episode?: number;
}

/** A video of family A (spec §2.6). */
export interface VideoResult {
  readonly title: string | null;
  readonly date: string | null;
  readonly details: string | null;
  readonly urls: readonly string[];
  readonly studioName: string | null;
  readonly performerNames: readonly string[];
  readonly tagNames: readonly string[];
  readonly imageUrl: string | null;
  readonly episodeNumber: number | null;
  readonly series: VideoSeries | null;
  readonly code: string | null;
  readonly director: string | null;
}

/** One entry of a folder's episode map. */
export interface FolderEpisode {
  readonly episodeNumber: number;
  readonly seasonNumber: number;
  readonly title: string | null;
  readonly date: string | null;
  readonly details: string | null;
}

/** A folder of family A; `episodeMap` holds its episodes by the key that the plugin gave them. */
export interface FolderResult {
  readonly name: string | null;
  readonly details: string | null;
  readonly date: string | null;
  readonly imageUrl: string | null;
  readonly backdropUrl: string | null;
  readonly studioName: string | null;
  readonly tagNames: readonly string[];
  readonly urls: readonly string[];
  readonly seriesExternalId?: string;
  readonly seasonNumber?: number;
  readonly totalEpisodes?: number;
  readonly episodeMap?: Readonly<Record<string, FolderEpisode>>;
}

/** A gallery of family A. */
export interface GalleryResult {
  readonly title: string | null;
  readonly date: string | null;
  readonly details: string | null;
  readonly urls: readonly string[];
  readonly studioName: string | null;
  readonly performerNames: readonly string[];
  readonly tagNames: readonly string[];
  readonly imageUrl: string | null;
  readonly photographer: string | null;
}

/** An image of family A. */
export interface ImageResult {
  readonly title: string | null;
  readonly date: string | null;
  readonly details: string | null;
  readonly urls: readonly string[];
  readonly tagNames: readonly string[];
  readonly imageUrl: string | null;
}

/** An audio track of family A. */
export interface AudioTrackResult {
  readonly title: string | null;
  readonly artist: string | null;
  readonly album: string | null;
  readonly trackNumber: number | null;
  readonly date: string | null;
  readonly details: string | null;
  readonly imageUrl: string | null;
  readonly urls: readonly string[];
  readonly tagNames: readonly string[];
}

/** An audio library of family A. */
export interface AudioLibraryResult {
  readonly name: string | null;
  readonly artist: string | null;
  readonly details: string | null;
  readonly date: string | null;
  readonly imageUrl: string | null;
  readonly urls: readonly string[];
  readonly tagNames: readonly string[];
  readonly trackCount?: number;
}

/** A plugin's result as a Video. */
export function normalizeVideoResult(raw: unknown): VideoResult {
  const field = fieldsOf(raw);
  return {
    title: text(field('title')),
    date: text(field('date')),
    details: text(field('details')),
    urls: addresses(aliased(field, 'urls', 'url')),
    studioName: text(aliased(field, 'studioName', 'studio')),
    performerNames: names(aliased(field, 'performerNames', 'performers')),
    tagNames: names(aliased(field, 'tagNames', 'tags')),
    imageUrl: imageAddress(aliased(field, 'imageUrl', 'image')),
    episodeNumber: countA(aliased(field, 'episodeNumber', 'episode_number')),
    series: videoSeries(field('series')),
    code: text(field('code')),
    director: text(field('director')),
  };
}

/** Whether a normalised Video says anything worth keeping: code, director and series alone do not. */
export function hasUsableVideoResult(video: VideoResult): boolean {
  const { title, date, details, urls, studioName, imageUrl, performerNames, tagNames, episodeNumber } = video;
  const texts = [title, date, details, studioName, imageUrl].some((value) => Boolean(value));
  const lists = [urls, performerNames, tagNames].some((list) => list.length > 0);
  return texts || lists || (episodeNumber !== null && episodeNumber !== undefined);
}

/** A plugin's result as a Folder. */
export function normalizeFolderResult(raw: unknown): FolderResult {
  const field = fieldsOf(raw);
  return {
    name: text(aliased(field, 'name', 'title')),
    details: text(field('details')),
    date: text(field('date')),
    imageUrl: imageAddress(aliased(field, 'imageUrl', 'image')),
    backdropUrl: imageAddress(aliased(field, 'backdropUrl', 'backdrop')),
    studioName: text(aliased(field, 'studioName', 'studio')),
    tagNames: names(aliased(field, 'tagNames', 'tags')),
    urls: addresses(aliased(field, 'urls', 'url')),
    ...present({
      seriesExternalId: text(field('seriesExternalId')),
      seasonNumber: countA(field('seasonNumber')),
      totalEpisodes: countA(field('totalEpisodes')),
      episodeMap: episodeMap(field('episodeMap')),
    }),
  };
}

/** A plugin's result as a Gallery. */
export function normalizeGalleryResult(raw: unknown): GalleryResult {
  const field = fieldsOf(raw);
  return {
    title: text(field('title')),
    date: text(field('date')),
    details: text(field('details')),
    urls: addresses(aliased(field, 'urls', 'url')),
    studioName: text(aliased(field, 'studioName', 'studio')),
    performerNames: names(aliased(field, 'performerNames', 'performers')),
    tagNames: names(aliased(field, 'tagNames', 'tags')),
    imageUrl: imageAddress(aliased(field, 'imageUrl', 'image')),
    photographer: text(field('photographer')),
  };
}

/** A plugin's result as an Image. */
export function normalizeImageResult(raw: unknown): ImageResult {
  const field = fieldsOf(raw);
  return {
    title: text(field('title')),
    date: text(field('date')),
    details: text(field('details')),
    urls: addresses(aliased(field, 'urls', 'url')),
    tagNames: names(aliased(field, 'tagNames', 'tags')),
    imageUrl: imageAddress(aliased(field, 'imageUrl', 'image')),
  };
}

/** A plugin's result as an AudioTrack. */
export function normalizeAudioTrackResult(raw: unknown): AudioTrackResult {
  const field = fieldsOf(raw);
  return {
    title: text(field('title')),
    artist: text(field('artist')),
    album: text(field('album')),
    trackNumber: countA(aliased(field, 'trackNumber', 'track_number')),
    date: text(field('date')),
    details: text(field('details')),
    imageUrl: imageAddress(aliased(field, 'imageUrl', 'image')),
    urls: addresses(aliased(field, 'urls', 'url')),
    tagNames: names(aliased(field, 'tagNames', 'tags')),
  };
}

/** A plugin's result as an AudioLibrary. */
export function normalizeAudioLibraryResult(raw: unknown): AudioLibraryResult {
  const field = fieldsOf(raw);
  return {
    name: text(aliased(field, 'name', 'title')),
    artist: text(field('artist')),
    details: text(field('details')),
    date: text(field('date')),
    imageUrl: imageAddress(aliased(field, 'imageUrl', 'image')),
    urls: addresses(aliased(field, 'urls', 'url')),
    tagNames: names(aliased(field, 'tagNames', 'tags')),
    ...present({ trackCount: countA(field('trackCount')) }),
  };
}

function videoSeries(value: unknown): VideoSeries | null {
  const field = fieldsOf(value);
  const name = text(field('name'));
  if (name === null) return null;
  const [externalId, season, episode] = [text(field('externalId')), countA(field('season')), countA(field('episode'))];
  return { name, ...present({ externalId, season, episode }) };
}

/** Built so that a key `__proto__` is a key like any other (W32). A list counts as a map from its indexes. */
function episodeMap(value: unknown): Record<string, FolderEpisode> | null {
  if (typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value as Record<string, unknown>)
    .filter(([, member]) => typeof member === 'object' && member !== null)
    .map(([key, member]) => [key, folderEpisode(member)] as const);
  return Object.fromEntries(entries);
}

function folderEpisode(member: unknown): FolderEpisode {
  const field = fieldsOf(member);
  return {
    episodeNumber: countA(field('episodeNumber')) ?? 0,
    seasonNumber: countA(field('seasonNumber')) ?? 0,
    title: text(field('title')),
    date: text(field('date')),
    details: text(field('details')),
  };
}
