import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { event, vmTemplate } from './schema/index.js';

/** What can be changed of a template or an ISO; what is absent stays. */
export type TemplateChanges = Partial<
  Pick<
    typeof vmTemplate.$inferInsert,
    | 'name'
    | 'displayText'
    | 'guestOsId'
    | 'arch'
    | 'requiresHvm'
    | 'bootable'
    | 'type'
    | 'isPublic'
    | 'isFeatured'
    | 'isExtractable'
  >
>;

/**
 * Changes a template, with an event that says what.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is deleted
 */
export async function updateTemplate(
  db: Database,
  { id, userId, changes }: { id: string; userId: string; changes: TemplateChanges },
): Promise<void> {
  const changed = Object.entries(changes).filter(([, value]) => value !== undefined);
  if (changed.length === 0) return;
  await db.transaction(async (tx) => {
    const [template] = await tx
      .update(vmTemplate)
      .set(changes)
      .where(and(eq(vmTemplate.id, id), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed)))
      .returning();
    if (!template) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Unable to find Template/ISO with id ${id}`);
    const isIso = template.format === 'ISO';
    await tx.insert(event).values({
      type: isIso ? 'ISO.UPDATE' : 'TEMPLATE.UPDATE',
      level: 'INFO',
      description: `${template.name} was changed: ${changed.map(([name]) => name).join(', ')}`,
      accountId: template.accountId,
      userId,
      resourceType: isIso ? 'Iso' : 'Template',
      resourceId: id,
    });
  });
}
