import { removeStoragePool } from '../../db/storage-pools.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const deleteStoragePool = defineCommand({
  name: 'deleteStoragePool',
  description:
    'Deletes a primary storage pool that is in maintenance and has no disks. Its files stay. Take it out of the ' +
    'configuration of its hosts too.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the pool.')),
    forced: withDefault(
      boolean('Whether disks of destroyed virtual machines are given up with it: those can be recovered no more.'),
      false,
    ),
  },
  response: { objectName: 'deletestoragepool', fields: { success: field('boolean', 'True.') } },
  async handle({ id, forced }, { db, caller, command }) {
    if (!(await removeStoragePool(db, caller, { id, isForced: forced }))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});
