import { and, asc, eq, inArray, isNull, ne } from 'drizzle-orm';
import type { ImageFormat } from '../../shared/images.js';
import type { Database } from '../client.js';
import { dataCenter, guestOs, serviceOffering, templateStoreRef, vmInstance, vmTemplate } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { ownedBy } from './list-query.js';
import { isTemplateVisible } from './list-templates.js';

/** @param ids all zones when absent */
export const findZones = (db: Database, ids?: string[]) =>
  db
    .select({ id: dataCenter.id, name: dataCenter.name, allocationState: dataCenter.allocationState })
    .from(dataCenter)
    .where(and(isNull(dataCenter.removed), ids ? inArray(dataCenter.id, ids) : undefined))
    .orderBy(asc(dataCenter.name));

export async function hasGuestOs(db: Database, id: string): Promise<boolean> {
  return (await db.select({ id: guestOs.id }).from(guestOs).where(eq(guestOs.id, id))).length > 0;
}

export async function hasServiceOffering(db: Database, id: string): Promise<boolean> {
  const rows = await db
    .select({ id: serviceOffering.id })
    .from(serviceOffering)
    .where(and(eq(serviceOffering.id, id), isNull(serviceOffering.removed)));
  return rows.length > 0;
}

/**
 * A template that the caller may deploy.
 *
 * @returns `isInZone`: whether it is registered in that zone. An ISO is found too, for the caller to refuse
 */
export async function findTemplate(
  db: Database,
  caller: Caller,
  { id, zoneId }: { id: string; zoneId: string },
): Promise<{ name: string; format: ImageFormat; isInZone: boolean } | undefined> {
  const [row] = await db
    .select({ name: vmTemplate.name, format: vmTemplate.format, refId: templateStoreRef.id })
    .from(vmTemplate)
    .leftJoin(
      templateStoreRef,
      and(
        eq(templateStoreRef.templateId, vmTemplate.id),
        eq(templateStoreRef.dataCenterId, zoneId),
        eq(templateStoreRef.state, 'Ready'),
      ),
    )
    .where(
      and(eq(vmTemplate.id, id), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed), isTemplateVisible(caller)),
    );
  return row && { name: row.name, format: row.format, isInZone: row.refId !== null };
}

/** A VM that the caller may work on; never an expunged one. */
export async function findOwnVirtualMachine(
  db: Database,
  caller: Caller,
  id: string,
): Promise<{ id: string; accountId: string } | undefined> {
  const [row] = await db
    .select({ id: vmInstance.id, accountId: vmInstance.accountId })
    .from(vmInstance)
    .where(and(eq(vmInstance.id, id), ne(vmInstance.state, 'Expunged'), ownedBy(caller, vmInstance.accountId)));
  return row;
}

export interface DeletableTemplate {
  name: string;
  type: string;
  format: ImageFormat;
  isOwn: boolean;
}

/** A template or ISO that the caller sees and that is not deleted; `isOwn` says whether they may delete it. */
export async function findDeletableTemplate(
  db: Database,
  caller: Caller,
  id: string,
): Promise<DeletableTemplate | undefined> {
  const [row] = await db
    .select({
      name: vmTemplate.name,
      type: vmTemplate.type,
      format: vmTemplate.format,
      accountId: vmTemplate.accountId,
    })
    .from(vmTemplate)
    .where(
      and(eq(vmTemplate.id, id), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed), isTemplateVisible(caller)),
    );
  return row && { ...row, isOwn: caller.role === 'Admin' || row.accountId === caller.accountId };
}
