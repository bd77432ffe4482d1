import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { imageType, isDiskFormat } from '../shared/images.js';
import { audit } from './audit.js';
import type { Database } from './client.js';
import { vmTemplate } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

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
    | 'sortKey'
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
  const set = withoutUndefined(changes);
  const changed = Object.keys(set);
  if (changed.length === 0) return;
  await db.transaction(async (tx) => {
    const [template] = await tx
      .update(vmTemplate)
      .set(set)
      .where(and(eq(vmTemplate.id, id), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed)))
      .returning();
    if (!template) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Unable to find Template/ISO with id ${id}`);
    await audit(
      tx,
      { accountId: template.accountId, userId },
      {
        type: isDiskFormat(template.format) ? 'TEMPLATE.UPDATE' : 'ISO.UPDATE',
        description: `${template.name} was changed: ${changed.join(', ')}`,
        resourceType: imageType(template.format),
        resourceId: id,
      },
    );
  });
}
