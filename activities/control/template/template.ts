import { and, eq, inArray, isNull, notInArray, sql } from 'drizzle-orm';
import { activateTemplate, abandonTemplate } from '../../../db/templates.js';
import { readSettingsOf } from '../../../db/scoped-settings.js';
import { host } from '../../../db/schema/index.js';
import { type DownloadSettings, downloadSettings } from '../../../shared/download-settings.js';
import type { ControlDependencies } from '../dependencies.js';

export interface ValidationHost {
  hostId: string;
  hostName: string;
  settings: DownloadSettings;
}

/**
 * A random Up KVM host of the zones, so that the hosts share the work and a sick one is not asked every time; of a zone
 * that has not been asked yet if there is one. One host that reads the URL is enough for all zones: the zone whose way out
 * is down today must not keep a template from all others, and a deployment there says why it fails.
 */
export const pickValidationHost =
  ({ db }: ControlDependencies) =>
  async (input: { zoneIds: string[]; excludedHostIds: string[] }): Promise<ValidationHost | null> => {
    const [picked] = await db
      .select({ hostId: host.id, hostName: host.name })
      .from(host)
      .where(
        and(
          inArray(host.dataCenterId, input.zoneIds),
          eq(host.status, 'Up'),
          eq(host.hypervisorType, 'KVM'),
          isNull(host.removed),
          input.excludedHostIds.length > 0 ? notInArray(host.id, input.excludedHostIds) : undefined,
        ),
      )
      .orderBy(
        sql`${host.dataCenterId} in (${zonesOf(db, input.excludedHostIds)})`,
        sql`${host.resourceState} = 'Enabled' desc`,
        sql`random()`,
      )
      .limit(1);
    if (!picked) return null;
    return { ...picked, settings: downloadSettings(await readSettingsOf(db, { hostId: picked.hostId })) };
  };

const zonesOf = (db: ControlDependencies['db'], hostIds: string[]) =>
  db.select({ id: host.dataCenterId }).from(host).where(inArray(host.id, hostIds));

/** The template is Ready in its zones, with the size that the host found. */
export const recordRegistered =
  ({ db }: ControlDependencies) =>
  (input: { templateId: string; zoneIds: string[]; sizeBytes?: number }): Promise<void> =>
    activateTemplate(db, input);

/** Nothing stays of a template that could not be registered. */
export const forgetTemplate =
  ({ db }: ControlDependencies) =>
  ({ templateId }: { templateId: string }): Promise<void> =>
    abandonTemplate(db, templateId);
