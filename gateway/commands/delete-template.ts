import type { Image } from '../../db/reads/find-image.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { deleteImage } from './delete-image.js';

export const deleteTemplate = defineCommand({
  name: 'deleteTemplate',
  description:
    'Deletes a template from its zones, or from one. It fails while virtual machines use it, unless forced; then they ' +
    'go on. Copies on pools are removed when nothing stands on them any more.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the template.')),
    zoneid: uuid('ID of the zone that it is deleted from; every zone when absent.'),
    forced: withDefault(
      boolean('Whether to delete it although virtual machines use it; false when absent.', { since: '4.9+' }),
      false,
    ),
    issystem: withDefault(
      boolean('Whether a SYSTEM template is meant; for root admins, false when absent.', { since: '4.20.0' }),
      false,
    ),
  },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: a job that could not delete it has failed.') },
  },
  handle: ({ issystem, forced, ...args }, context) => {
    const check = ({ type }: Image): void => {
      if (type !== 'SYSTEM' || (issystem && context.caller.role === 'Admin')) return;
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        'Could not delete template as it is a SYSTEM template and isSystem is set to false.',
      );
    };
    return deleteImage({ ...args, jobCmd: 'deleteTemplate', kind: 'template', isForced: forced, check }, context);
  },
});
