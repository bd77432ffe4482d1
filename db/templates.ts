import { and, eq, inArray, sql } from 'drizzle-orm';
import { displayUrl } from '../shared/display-url.js';
import { SlipwayError } from '../shared/errors.js';
import type { HttpHeader } from '../shared/http-headers.js';
import type { ImageFormat } from '../shared/images.js';
import type { Database, Transaction } from './client.js';
import { holdZone, zoneDeleted } from './require-zone.js';
import { templateStoreRef, vmTemplate, vmTemplateDetails } from './schema/index.js';
import type { SecretBox } from './secret-box.js';

export const TEMPLATE_TYPES = vmTemplate.type.enumValues;
export type TemplateType = (typeof TEMPLATE_TYPES)[number];

export interface NewTemplate {
  name: string;
  displayText: string;
  accountId: string;
  /** Only an ISO that is not bootable may be without. */
  guestOsId?: string;
  format: ImageFormat;
  /** USER when absent. */
  type?: TemplateType;
  /** KVM when absent. An ISO is for none in particular. */
  hypervisorType?: 'KVM' | 'None';
  /** The whole URL; it is stored encrypted. */
  url: string;
  checksum?: string;
  directDownload: boolean;
  isPublic: boolean;
  isFeatured: boolean;
  isExtractable: boolean;
  requiresHvm: boolean;
  /** True when absent; only of an ISO may it be false. */
  bootable?: boolean;
  bits: number;
  arch: string;
  details: { name: string; value: string }[];
  /** Checked ones; each is stored encrypted, as a detail `HTTP_HEADER` with the text `NAME:VALUE`. */
  headers: HttpHeader[];
}

/** Name of the rows of `vm_template_details` that hold secrets: no list may show them. */
export const HTTP_HEADER_DETAIL = 'HTTP_HEADER';

/**
 * Inserts the row as Registering: no list shows it until a host has validated the URL.
 *
 * @param check in the same transaction, once it is there
 */
export async function createTemplate(
  db: Database,
  secretBox: SecretBox,
  template: NewTemplate,
  check?: (tx: Transaction) => Promise<void>,
): Promise<{ id: string }> {
  const { url, details, headers, ...columns } = template;
  const rows = [
    ...details,
    ...headers.map((header) => ({ name: HTTP_HEADER_DETAIL, value: secretBox.encrypt(header.join(':')) })),
  ];
  return db.transaction(async (tx) => {
    const [row] = await tx
      .insert(vmTemplate)
      .values({ ...columns, url: displayUrl(url), urlEncrypted: secretBox.encrypt(url) })
      .returning({ id: vmTemplate.id });
    if (rows.length > 0) {
      await tx.insert(vmTemplateDetails).values(rows.map((detail) => ({ ...detail, templateId: row!.id })));
    }
    await check?.(tx);
    return { id: row!.id };
  });
}

/**
 * Ready at once, in every zone asked for: the bytes come when a VM needs them.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it was abandoned in the meantime: its caller was told so; or when none
 *   of the zones is there any more
 */
export async function activateTemplate(
  db: Database,
  { templateId, zoneIds, sizeBytes }: { templateId: string; zoneIds: string[]; sizeBytes?: number },
): Promise<void> {
  await db.transaction(async (tx) => {
    const present: string[] = [];
    // In one order, and before the template: who registers in the same zones and who deletes one must not wait for each other.
    for (const zoneId of zoneIds.toSorted()) if (await holdZone(tx, zoneId)) present.push(zoneId);
    if (present.length === 0) throw zoneDeleted();
    const active = await tx
      .update(vmTemplate)
      .set({ state: 'Active', sizeBytes })
      .where(eq(vmTemplate.id, templateId))
      .returning({ id: vmTemplate.id });
    if (active.length === 0) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `The registration of template ${templateId} was given up`);
    }
    await tx
      .insert(templateStoreRef)
      .values(present.map((dataCenterId) => ({ templateId, dataCenterId, sizeBytes })))
      .onConflictDoNothing();
  });
}

/** Forgets a template whose URL no host could read. */
export async function abandonTemplate(db: Database, templateId: string): Promise<void> {
  await db.delete(vmTemplate).where(and(eq(vmTemplate.id, templateId), eq(vmTemplate.state, 'Registering')));
}

/** Ids of templates that began to register before `seconds` ago and never ended. */
export async function abandonedRegistrations(db: Database, seconds: number): Promise<string[]> {
  const rows = await db
    .select({ id: vmTemplate.id })
    .from(vmTemplate)
    .where(
      and(
        inArray(vmTemplate.state, ['Registering']),
        sql`${vmTemplate.created} < now() - make_interval(secs => ${seconds})`,
      ),
    );
  return rows.map(({ id }) => id);
}
