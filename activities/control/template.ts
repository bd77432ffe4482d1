import { and, eq, inArray, isNull, notInArray, sql } from 'drizzle-orm';
import { activateTemplate, abandonTemplate } from '../../db/templates.js';
import { readSettings } from '../../db/settings.js';
import { host } from '../../db/schema/index.js';
import { type DownloadSettings, downloadSettings } from '../../shared/settings.js';
import type { ControlDependencies } from './dependencies.js';

export interface ValidationHost {
  hostId: string;
  hostName: string;
  settings: DownloadSettings;
}

/** A random Up KVM host of the zones, so that the hosts share the work and a sick one is not asked every time. */
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
      .orderBy(sql`random()`)
      .limit(1);
    return picked ? { ...picked, settings: downloadSettings(await readSettings(db)) } : null;
  };

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
