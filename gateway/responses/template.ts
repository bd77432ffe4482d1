import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedTemplate, TemplateCopy, TemplateDetail } from '../../db/reads/list-templates.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { imageFields, imageResponse } from './image.js';

export const templateFields = {
  ...imageFields,
  format: field('string', 'QCOW2 or RAW.'),
  size: field('long', 'Bytes of the disk as a guest sees it, when a source told.'),
  templatetype: field('string', 'USER, SYSTEM or ROUTING.'),
  hypervisor: field('string', 'Always KVM.'),
  details: field('map', 'Details it was registered with.'),
  sshkeyenabled: field('boolean', 'Always false.'),
  deployasis: field('boolean', 'Always false.'),
  requireshvm: field('boolean', 'Whether it needs hardware virtualisation.'),
} as const;

export interface TemplateParts {
  /** Of this one in the zone of the row. */
  copies: TemplateCopy[];
  /** Of any templates; those of this one are picked. */
  details: TemplateDetail[];
}

export function templateResponse(
  row: ListedTemplate,
  parts: TemplateParts,
  caller: Caller,
): ResponseOf<typeof templateFields> {
  const { template } = row;
  return {
    ...imageResponse(row, parts.copies, caller),
    format: template.format,
    size: template.sizeBytes,
    templatetype: template.type,
    hypervisor: template.hypervisorType,
    details: detailsOf(template.id, parts.details),
    sshkeyenabled: false,
    deployasis: false,
    requireshvm: template.requiresHvm,
  };
}

function detailsOf(templateId: string, details: TemplateDetail[]): Record<string, string> | undefined {
  const own = details.filter((detail) => detail.templateId === templateId);
  return own.length === 0 ? undefined : Object.fromEntries(own.map(({ name, value }) => [name, value]));
}
