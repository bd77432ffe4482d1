import { readSettings } from '../../../db/settings.js';
import { type DownloadSettings, downloadSettings } from '../../../shared/download-settings.js';
import type { ControlDependencies } from '../dependencies.js';

/** The limits of downloads as they are set now. */
export const readBandwidth =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  async (): Promise<DownloadSettings['bandwidth']> =>
    downloadSettings(await readSettings(db)).bandwidth;
