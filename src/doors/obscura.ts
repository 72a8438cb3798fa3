/**
 * The library surface of Obscura over a Charmer host: names, signatures and texts of the original, its faults mended
 * (spec §6, §9).
 */
import { createObscuraRunner, type BatchArguments, type ObscuraRunner, type RunArguments } from './obscura/runner.ts';
import type { PluginBatchRow } from './obscura/run-options.ts';

export {
  decryptAuthValue,
  describePluginAuth,
  encryptAuthValue,
  resolvePluginAuth,
  type PluginAuthRow,
} from './obscura/auth.ts';
export { ManifestParseError, readManifest, validateManifest } from './obscura/manifest.ts';
export {
  PluginExecutionError,
  type PluginFailureFacts,
  type PluginFailureKind,
} from './obscura/plugin-execution-error.ts';
export type {
  NativePythonBatchOptions,
  NativePythonRunOptions,
  PluginBatchItem,
  PluginBatchRow,
} from './obscura/run-options.ts';
export { createObscuraRunner, type BatchArguments, type ObscuraRunner, type RunArguments } from './obscura/runner.ts';
export {
  matchScenesToEpisodes,
  parseEpisodeFromFilename,
  type EpisodeMatches,
  type EpisodeNumbers,
  type KnownEpisode,
  type Scene,
} from '../formats/obscura/episodes.ts';
export {
  getExternalId,
  hasExternalId,
  mergeExternalIds,
  setExternalId,
  type ExternalIdMap,
} from '../formats/obscura/external-ids.ts';
export { fanOut, type FanOutItem, type FanOutRow } from '../formats/obscura/fan-out.ts';
export {
  CAPABILITY_KEYS,
  type ObscuraAuthField,
  type ObscuraManifest,
  type ObscuraRuntime,
} from '../formats/obscura/manifest.ts';
export type { ReplyOptions } from '../formats/obscura/reply-options.ts';
export {
  hasUsableVideoResult,
  normalizeAudioLibraryResult,
  normalizeAudioTrackResult,
  normalizeFolderResult,
  normalizeGalleryResult,
  normalizeImageResult,
  normalizeVideoResult,
  type AudioLibraryResult,
  type AudioTrackResult,
  type FolderEpisode,
  type FolderResult,
  type GalleryResult,
  type ImageResult,
  type VideoResult,
  type VideoSeries,
} from '../formats/obscura/normalise/flat-shapes.ts';
export {
  deriveProposedResultFromPluginOutput,
  type ProposalOptions,
  type ProposedEpisode,
  type ProposedResult,
} from '../formats/obscura/normalise/proposed-result.ts';
export {
  normalizeEpisodeResult,
  normalizeImageCandidate,
  normalizeMovieResult,
  normalizeSeasonResult,
  normalizeSeriesResult,
  type CastMember,
  type EpisodeResult,
  type ImageCandidate,
  type MovieResult,
  type SeasonResult,
  type SeriesCandidate,
  type SeriesResult,
  type SeriesStatus,
} from '../formats/obscura/normalise/typed-shapes.ts';
export { compareVersions, resolveEntryZipUrl, resolveIndexUrl } from '../formats/obscura/registry-index.ts';

/**
 * The runner behind the two free functions, made at the first call and kept: the original's callers have no host to hand
 * in. Its processes end with this one, and it keeps nobody waiting.
 */
let shared: ObscuraRunner | undefined;

/**
 * Runs one action in a fresh process: the `result` of the reply, or null.
 *
 * @throws PluginExecutionError with the original's texts
 * @throws the signal's reason when the caller aborts
 */
export function runNativePythonPlugin<T = unknown>(...run: RunArguments): Promise<T | null> {
  shared ??= createObscuraRunner();
  return shared.runNativePythonPlugin<T>(...run);
}

/**
 * Runs one action for many items: a row per item, in the order of the items. One process for all, unless the manifest
 * says `supportsBatch: false`; no process for no items.
 *
 * @throws PluginExecutionError when the one process fails; with `chunkSize` or `isolate` failures stay in their rows
 */
export function runNativePythonPluginBatch(...run: BatchArguments): Promise<PluginBatchRow[]> {
  shared ??= createObscuraRunner();
  return shared.runNativePythonPluginBatch(...run);
}

/** Ends the processes behind the two run functions; the next call starts anew. */
export async function closePluginRunner(): Promise<void> {
  const runner = shared;
  shared = undefined;
  await runner?.close();
}
