import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { deleteImage } from './delete-image.js';

export const deleteIso = defineCommand({
  name: 'deleteIso',
  description: 'Deletes an ISO from its zones, or from one.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the ISO.')),
    zoneid: uuid('ID of the zone that it is deleted from; every zone when absent.'),
  },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: a job that could not delete it has failed.') },
  },
  handle: (args, context) => deleteImage({ ...args, jobCmd: 'deleteIso', kind: 'iso', isForced: false }, context),
});
