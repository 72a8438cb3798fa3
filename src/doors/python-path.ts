import { SDK_DIRECTORY } from '../formats/fidius/conversation.ts';
import { PYTHON_DIRECTORY } from '../formats/remotemedia/index.ts';

/**
 * The directories that `PYTHONPATH` needs for our Python packages: one for plugin authors and consumers of RemoteMedia
 * (`remotemedia`), one for authors of Fidius plugins (`fidius`). Absolute; a plugin that runs here needs neither.
 */
export function pythonDirectories(): readonly string[] {
  return [PYTHON_DIRECTORY, SDK_DIRECTORY];
}
