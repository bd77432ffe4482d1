import { and, asc, eq, inArray, isNull, ne } from 'drizzle-orm';
import type { ImageFormat } from '../../shared/images.js';
import type { Database } from '../client.js';
import {
  cluster,
  dataCenter,
  guestOs,
  host,
  hostPodRef,
  serviceOffering,
  templateStoreRef,
  vmInstance,
  vmTemplate,
} from '../schema/index.js';
import type { TemplateType } from '../templates.js';
import type { Caller } from './find-caller.js';
import { ownedBy } from './list-query.js';
import { isUsableTemplate } from './template-views.js';

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

export interface DeployableTemplate {
  id: string;
  name: string;
  type: TemplateType;
  format: ImageFormat;
  /** Of an ISO; true for every disk. */
  bootable: boolean;
  /** As the probe found it. */
  sizeBytes: number | null;
  /** Whether it is registered in that zone. */
  isInZone: boolean;
}

/** A template or an ISO that the caller may deploy. */
export async function findTemplate(
  db: Database,
  caller: Caller,
  { id, zoneId }: { id: string; zoneId: string },
): Promise<DeployableTemplate | undefined> {
  const [row] = await db
    .select({
      id: vmTemplate.id,
      name: vmTemplate.name,
      type: vmTemplate.type,
      format: vmTemplate.format,
      bootable: vmTemplate.bootable,
      sizeBytes: vmTemplate.sizeBytes,
      refId: templateStoreRef.id,
    })
    .from(vmTemplate)
    .leftJoin(
      templateStoreRef,
      and(
        eq(templateStoreRef.templateId, vmTemplate.id),
        eq(templateStoreRef.dataCenterId, zoneId),
        eq(templateStoreRef.state, 'Ready'),
      ),
    )
    .where(isUsableTemplate(caller, id));
  if (!row) return undefined;
  const { refId, ...template } = row;
  return { ...template, isInZone: refId !== null };
}

/** Whether a host, a pod or a cluster is there, and in the zone. */
export async function isInZone(db: Database, zoneId: string, table: 'host' | 'pod' | 'cluster', id: string) {
  const { [table]: found } = { host, pod: hostPodRef, cluster };
  const rows = await db
    .select({ id: found.id })
    .from(found)
    .where(and(eq(found.id, id), eq(found.dataCenterId, zoneId), isNull(found.removed)));
  return rows.length > 0;
}

/** A VM that the caller may work on; never an expunged one. */
export async function findOwnVirtualMachine(
  db: Database,
  caller: Caller,
  id: string,
): Promise<{ id: string; accountId: string; zoneId: string; userDataEncrypted: string | null } | undefined> {
  const { id: vmId, accountId, dataCenterId: zoneId, userDataEncrypted } = vmInstance;
  const [row] = await db
    .select({ id: vmId, accountId, zoneId, userDataEncrypted })
    .from(vmInstance)
    .where(and(eq(vmInstance.id, id), ne(vmInstance.state, 'Expunged'), ownedBy(caller, vmInstance.accountId)));
  return row;
}
