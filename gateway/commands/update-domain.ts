import { renameDomain } from '../../db/domains.js';
import { findListedDomain } from '../../db/reads/list-domains.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { domainFields, domainResponses } from '../responses/domain.js';
import { domainName } from './create-domain.js';
import { ADMINS, defineCommand } from './define-command.js';
import { ownDomain } from './own-domain.js';
import { stillThere } from './still-there.js';

export const updateDomain = defineCommand({
  name: 'updateDomain',
  description: 'Renames a domain; the paths of those below change with it.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: {
    id: required(uuid('ID of the domain.')),
    name: string('New name; without a slash.'),
    ...unsupported({ networkdomain: { type: 'string' } }),
  },
  response: { objectName: 'domain', fields: { domain: field('object', 'The domain.', domainFields) } },
  async handle({ id, name }, context) {
    const { db, caller } = context;
    await ownDomain(id, context);
    if (name !== undefined) await renameDomain(db, caller, id, domainName(name));
    const [domain] = await domainResponses(db, [stillThere(await findListedDomain(db, id), id, context)]);
    return { domain };
  },
});
