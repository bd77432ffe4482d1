import { and, eq, sql } from 'drizzle-orm';
import { readSettingsOf } from '../../../db/scoped-settings.js';
import { templateSpoolRef } from '../../../db/schema/index.js';
import { type DownloadSettings, downloadSettings } from '../../../shared/download-settings.js';
import type { TellBandwidthInput } from '../../../shared/hosts.js';
import type { ControlDependencies } from '../dependencies.js';

/** The limits of downloads on a host as they are set now. */
export const readBandwidth =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  async ({ hostId }: TellBandwidthInput): Promise<DownloadSettings['bandwidth']> => {
    // Before the limits: what is read after that moment is no older.
    const [clock] = await db.execute<{ nowMs: number }>(
      sql`select extract(epoch from now())::float8 * 1000 as "nowMs"`,
    );
    return { ...downloadSettings(await readSettingsOf(db, { hostId })).bandwidth, asOfMs: clock!.nowMs };
  };

/** The host was not told, after all: whoever looks next tells it. */
export const forgetToldBandwidth =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  async ({ hostId }: TellBandwidthInput): Promise<void> => {
    const isItsDownload = and(eq(templateSpoolRef.hostId, hostId), eq(templateSpoolRef.state, 'Downloading'));
    await db.update(templateSpoolRef).set({ bandwidth: null }).where(isItsDownload);
  };
