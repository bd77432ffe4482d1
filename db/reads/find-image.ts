import { and, eq, isNull, sql } from 'drizzle-orm';
import type { ImageFormat } from '../../shared/images.js';
import type { Database } from '../client.js';
import { dataCenter, templateStoreRef, vmTemplate } from '../schema/index.js';
import type { TemplateType } from '../templates.js';
import type { Caller } from './find-caller.js';
import { ownedBy } from './list-query.js';
import { isUsableTemplate } from './template-views.js';

export interface Image {
  id: string;
  name: string;
  type: TemplateType;
  format: ImageFormat;
  /** Whether the caller may change it. */
  isOwn: boolean;
}

/** A template or ISO that the caller sees and that is not deleted. */
export async function findImage(db: Database, caller: Caller, id: string): Promise<Image | undefined> {
  const [row] = await db
    .select({
      id: vmTemplate.id,
      name: vmTemplate.name,
      type: vmTemplate.type,
      format: vmTemplate.format,
      isOwn: sql<boolean>`${ownedBy(caller, vmTemplate.accountId) ?? sql`true`}`,
    })
    .from(vmTemplate)
    .where(isUsableTemplate(caller, id));
  return row;
}

/** Ids of the zones that have it. */
export async function zonesOfImage(db: Database, id: string): Promise<string[]> {
  const rows = await db
    .select({ id: templateStoreRef.dataCenterId })
    .from(templateStoreRef)
    .innerJoin(dataCenter, eq(dataCenter.id, templateStoreRef.dataCenterId))
    .where(and(eq(templateStoreRef.templateId, id), eq(templateStoreRef.state, 'Ready'), isNull(dataCenter.removed)));
  return rows.map((row) => row.id);
}
