import { removeZone } from '../../db/zones.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const deleteZone = defineCommand({
  name: 'deleteZone',
  description:
    'Deletes a zone that has no pods, pools, virtual machines and networks, with its certificates and settings. ' +
    'Templates that no other zone has are deleted too.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { id: required(uuid('ID of the zone.')) },
  response: { objectName: 'deletezone', fields: { success: field('boolean', 'True.') } },
  async handle({ id }, { db, caller, command }) {
    if (!(await removeZone(db, caller, id))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});
