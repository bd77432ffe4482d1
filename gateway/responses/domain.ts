import type { Database } from '../../db/client.js';
import type { ListedDomain } from '../../db/reads/list-domains.js';
import { readDomainUsage } from '../../db/reads/read-usage.js';
import { readSettings } from '../../db/settings.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { usageFields, usageResponse } from './resource-usage.js';

export const domainFields = {
  id: field('string', 'ID of the domain.'),
  name: field('string', 'Name.'),
  level: field('integer', 'How deep it is; 0 for the root.'),
  parentdomainid: field('string', 'ID of the domain that it is in.'),
  parentdomainname: field('string', 'Name of the domain that it is in.'),
  haschild: field('boolean', 'Whether domains are in it.'),
  path: field('string', 'Names from the root to it: ROOT/sales/emea.'),
  state: field('string', 'Active, or Inactive while it is being deleted.'),
  created: field('date', 'When it was made.'),
  ...usageFields,
} as const;

/** @param isUsageShown whether with what the accounts below use, which is counted */
export async function domainResponses(
  db: Database,
  rows: ListedDomain[],
  { isUsageShown = true }: { isUsageShown?: boolean } = {},
): Promise<ResponseOf<typeof domainFields>[]> {
  const usage = isUsageShown
    ? await readDomainUsage(
        db,
        rows.map(({ domain }) => domain.id),
      )
    : [];
  const settings = await readSettings(db);
  return rows.map(({ domain, level, parentName, hasChild }) => {
    const counted = usage.find(({ ownerId }) => ownerId === domain.id);
    return {
      id: domain.id,
      name: domain.name,
      level,
      parentdomainid: domain.parentId,
      parentdomainname: parentName,
      haschild: hasChild,
      path: shownDomainPath(domain.path),
      state: domain.state,
      created: apiDate(domain.created),
      ...(counted && usageResponse(counted, { settings, isUnlimited: domain.parentId === null })),
    };
  });
}
