import { type DomainFilter, listDomains as readDomains } from '../../db/reads/list-domains.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, integer, names, string, uuid, withDefault } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { domainFields, domainResponses } from '../responses/domain.js';
import { ADMINS, defineCommand, EVERYBODY } from './define-command.js';
import { isUsageWanted } from './is-usage-wanted.js';
import { requireDomain } from './list-scope.js';

export const listDomains = defineCommand({
  name: 'listDomains',
  description:
    'Lists domains: for a root admin all, for others their own, for a domain admin with listall those below too.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the domain.'),
    name: string('Name of the domain.'),
    level: integer('How deep it is; 0 for the root.', { min: 0 }),
    listall: withDefault(boolean('Whether a domain admin is shown the domains below too; false when absent.'), false),
    details: names('all, resource or min, comma separated; min is without what accounts use.'),
    ...withoutEffect({ showicon: { type: 'boolean' } }),
    ...unsupported({ tag: { type: 'string', since: '4.20.0' } }),
  },
  response: { objectName: 'domain', fields: domainFields },
  async handle(args, context) {
    const { db, caller } = context;
    if (args.id !== undefined) await requireDomain(args.id, context);
    const isOwnOnly = caller.role !== 'Admin' && !args.listall && args.id === undefined;
    const filter: DomainFilter = {
      id: args.id,
      onlyId: isOwnOnly ? caller.domainId : undefined,
      name: args.name,
      level: args.level,
      keyword: args.keyword,
    };
    const { count, rows } = await readDomains(db, caller, filter, pageOf(args));
    return { count, items: await domainResponses(db, rows, { isUsageShown: isUsageWanted(args.details) }) };
  },
});

export const listDomainChildren = defineCommand({
  name: 'listDomainChildren',
  description: 'Lists the domains in a domain.',
  kind: 'list',
  allowedRoles: ADMINS,
  params: {
    ...listParameters,
    id: uuid('ID of the domain above; that of the caller when absent.'),
    name: string('Name of the domain.'),
    isrecursive: withDefault(boolean('Whether those further below are listed too; false when absent.'), false),
    listall: withDefault(boolean('The same, for the domain of the caller; false when absent.'), false),
    ...withoutEffect({ showicon: { type: 'boolean' } }),
  },
  response: { objectName: 'domain', fields: domainFields },
  async handle({ id, name, isrecursive, listall, ...args }, context) {
    const { db, caller } = context;
    const above = await requireDomain(id ?? caller.domainId, context);
    const isDeep = isrecursive || (listall && id === undefined);
    const below: DomainFilter = isDeep ? { belowPath: above.path } : { parentId: above.id };
    const { count, rows } = await readDomains(db, caller, { ...below, name, keyword: args.keyword }, pageOf(args));
    return { count, items: await domainResponses(db, rows) };
  },
});
