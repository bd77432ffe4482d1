import { changeHost } from '../../db/hosts.js';
import { findHost } from '../../db/reads/list-hosts.js';
import { readSettingsOf } from '../../db/scoped-settings.js';
import { field } from '../protocol/fields.js';
import { oneOf, required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { newTags } from '../protocol/tags.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { hostFields, hostResponse } from '../responses/host.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const updateHost = defineCommand({
  name: 'updateHost',
  description: 'Changes name and tags of a host, and whether it takes new virtual machines.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the host.')),
    name: string('New name.', { since: '4.15' }),
    allocationstate: oneOf(['Enable', 'Disable'], 'What runs there goes on when it is disabled.'),
    hosttags: newTags(),
    ...unsupported({
      oscategoryid: { type: 'uuid' },
      istagarule: { type: 'boolean' },
      url: { type: 'string' },
      annotation: { type: 'string', since: '4.11' },
      externaldetails: { type: 'map', since: '4.21.0' },
    }),
  },
  response: { objectName: 'host', fields: { host: field('object', 'The host.', hostFields) } },
  async handle({ id, name, allocationstate, hosttags }, { db, caller, command }) {
    const isKnown = await changeHost(db, caller, id, {
      name,
      tags: hosttags,
      isEnabled: allocationstate === undefined ? undefined : allocationstate === 'Enable',
    });
    const row = isKnown ? await findHost(db, id) : undefined;
    if (!row) throw noSuchEntity(command, 'id', id);
    return { host: hostResponse(row, await readSettingsOf(db, { hostId: id })) };
  },
});
