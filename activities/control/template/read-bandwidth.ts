import { readSettingsOf } from '../../../db/scoped-settings.js';
import { type DownloadSettings, downloadSettings } from '../../../shared/download-settings.js';
import type { TellBandwidthInput } from '../../../shared/hosts.js';
import type { ControlDependencies } from '../dependencies.js';

/** The limits of downloads on a host as they are set now. */
export const readBandwidth =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  async ({ hostId }: TellBandwidthInput): Promise<DownloadSettings['bandwidth']> =>
    downloadSettings(await readSettingsOf(db, { hostId })).bandwidth;
