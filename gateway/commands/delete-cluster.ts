import { removeCluster } from '../../db/clusters.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const deleteCluster = defineCommand({
  name: 'deleteCluster',
  description: 'Deletes a cluster that has no hosts and no pools, with its settings.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { id: required(uuid('ID of the cluster.')) },
  response: { objectName: 'deletecluster', fields: { success: field('boolean', 'True.') } },
  async handle({ id }, { db, caller, command }) {
    if (!(await removeCluster(db, caller, id))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});
