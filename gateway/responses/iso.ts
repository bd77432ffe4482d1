import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedTemplate, TemplateCopy } from '../../db/reads/list-templates.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { imageFields, imageResponse } from './image.js';

export const isoFields = {
  ...imageFields,
  bootable: field('boolean', 'Whether a machine can start from it, as it was registered.'),
  size: field('long', 'Bytes of the file as it is downloaded, when a source told.'),
} as const;

/** @param copies of this one in the zone of the row */
export const isoResponse = (
  row: ListedTemplate,
  copies: TemplateCopy[],
  caller: Caller,
): ResponseOf<typeof isoFields> => ({
  ...imageResponse(row, copies, caller),
  bootable: row.template.bootable,
  size: row.template.sizeBytes,
});
