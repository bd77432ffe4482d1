import { removePod } from '../../db/pods.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const deletePod = defineCommand({
  name: 'deletePod',
  description: 'Deletes a pod that has no clusters.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { id: required(uuid('ID of the pod.')) },
  response: { objectName: 'deletepod', fields: { success: field('boolean', 'True.') } },
  async handle({ id }, { db, caller, command }) {
    if (!(await removePod(db, caller, id))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});
