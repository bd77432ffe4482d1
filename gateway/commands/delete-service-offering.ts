import { removeServiceOffering } from '../../db/service-offerings.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const deleteServiceOffering = defineCommand({
  name: 'deleteServiceOffering',
  description: 'Deletes a service offering. Virtual machines that were made with it keep what they have.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { id: required(uuid('ID of the service offering.')) },
  response: { objectName: 'deleteserviceoffering', fields: { success: field('boolean', 'True.') } },
  async handle({ id }, { db, caller, command }) {
    if (!(await removeServiceOffering(db, caller, id))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});
