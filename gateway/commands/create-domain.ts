import { createDomain as insertDomain } from '../../db/domains.js';
import { findListedDomain } from '../../db/reads/list-domains.js';
import { findRootDomain } from '../../db/reads/find-account.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { domainFields, domainResponses } from '../responses/domain.js';
import { ADMINS, defineCommand } from './define-command.js';
import { requireDomain } from './list-scope.js';
import { stillThere } from './still-there.js';

export const createDomain = defineCommand({
  name: 'createDomain',
  description: 'Makes a domain in another.',
  kind: 'sync',
  allowedRoles: ADMINS,
  params: {
    name: required(string('Name; without a slash.')),
    parentdomainid: uuid('ID of the domain that it is made in; the root when absent, or that of a domain admin.'),
    ...unsupported({ networkdomain: { type: 'string' }, domainid: { type: 'string' } }),
  },
  response: { objectName: 'domain', fields: { domain: field('object', 'The domain.', domainFields) } },
  async handle({ name, parentdomainid }, context) {
    const { db, caller } = context;
    const home = caller.role === 'Admin' ? await findRootDomain(db) : caller.domainId;
    const parent = await requireDomain(parentdomainid ?? home, context);
    const id = await insertDomain(db, caller, { name: domainName(name), parentId: parent.id });
    const [domain] = await domainResponses(db, [stillThere(await findListedDomain(db, id), id, context)]);
    return { domain };
  },
});

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function domainName(text: string): string {
  const name = text.trim();
  // A slash would make two domains of one in the paths that say who may do what.
  if (name === '' || name.includes('/')) throw invalid('The name of a domain has to be without slashes, and not blank');
  return name;
}
