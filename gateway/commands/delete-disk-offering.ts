import { removeDiskOffering } from '../../db/disk-offerings.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const deleteDiskOffering = defineCommand({
  name: 'deleteDiskOffering',
  description: 'Deletes a disk offering. Disks that were made of it stay as they are.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { id: required(uuid('ID of the disk offering.')) },
  response: { objectName: 'deletediskoffering', fields: { success: field('boolean', 'True.') } },
  async handle({ id }, { db, caller, command }) {
    if (!(await removeDiskOffering(db, caller, id))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});
