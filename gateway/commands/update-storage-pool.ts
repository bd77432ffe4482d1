import { changeStoragePool } from '../../db/storage-pools.js';
import { field } from '../protocol/fields.js';
import { boolean, required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { newTags } from '../protocol/tags.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { shownStoragePool } from '../responses/shown-storage-pools.js';
import { storagePoolFields } from '../responses/storage-pool.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const updateStoragePool = defineCommand({
  name: 'updateStoragePool',
  description: 'Changes name and tags of a primary storage pool, and whether it takes new disks.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the pool.')),
    name: string('New name.', { since: '4.15' }),
    tags: newTags(),
    enabled: boolean('Whether it takes new disks. Virtual machines that have theirs there go on, and start.'),
    ...unsupported({
      capacitybytes: { type: 'long' },
      capacityiops: { type: 'long' },
      istagarule: { type: 'boolean' },
      url: { type: 'string', since: '4.19.0' },
      details: { type: 'map', since: '4.19.0' },
    }),
  },
  response: { objectName: 'storagepool', fields: { storagepool: field('object', 'The pool.', storagePoolFields) } },
  async handle({ id, name, tags, enabled }, { db, caller, command }) {
    const isKnown = await changeStoragePool(db, caller, id, { name, tags, isEnabled: enabled });
    const storagepool = isKnown ? await shownStoragePool(db, id) : undefined;
    if (!storagepool) throw noSuchEntity(command, 'id', id);
    return { storagepool };
  },
});
