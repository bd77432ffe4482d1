import { and, eq, isNull } from 'drizzle-orm';
import { templateStoreRef, vmTemplate } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Transaction } from '../dependencies.js';
import { recordEvent, type Told } from '../record-event.js';

/** A template or ISO that is listed and deployed. */
export const isActiveTemplate = (templateId: string) =>
  and(eq(vmTemplate.id, templateId), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed));

/** The rows of the zones that have it. */
export const isReadyInZone = (templateId: string) =>
  and(eq(templateStoreRef.templateId, templateId), eq(templateStoreRef.state, 'Ready'));

/** In CloudStack's words. */
export const templateGone = (templateId: string): SlipwayError =>
  new SlipwayError('SLIPWAY_RESOURCE_STATE', `Unable to find Template with id ${templateId}`);

export interface TemplateEvent extends Told {
  templateId: string;
  operation: 'DELETE' | 'REFRESH';
  level: 'INFO' | 'ERROR';
  jobId: string;
}

/** Under CloudStack's name for an event of a template, or of an ISO. */
export async function recordTemplateEvent(
  tx: Transaction,
  { templateId, operation, ...event }: TemplateEvent,
): Promise<void> {
  const [template] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
  const isIso = template?.format === 'ISO';
  await recordEvent(tx, {
    ...event,
    type: `${isIso ? 'ISO' : 'TEMPLATE'}.${operation}`,
    resourceType: isIso ? 'Iso' : 'Template',
    accountId: template?.accountId,
    resourceId: templateId,
  });
}
