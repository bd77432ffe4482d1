import { sql } from 'drizzle-orm';
import { bigint, check, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { RESOURCE_TYPES } from '../../shared/resource-types.js';
import { account } from './account.js';
import { id } from './columns.js';
import { domain } from './domain.js';

/** Limits of accounts and of domains that differ from the settings `max.account.*` and `max.domain.*`. */
export const resourceLimit = pgTable(
  'resource_limit',
  {
    id: id(),
    accountId: uuid().references(() => account.id, { onDelete: 'cascade' }),
    domainId: uuid().references(() => domain.id, { onDelete: 'cascade' }),
    type: text({ enum: RESOURCE_TYPES }).notNull(),
    /** In the unit of the type; -1 for no limit. */
    max: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [
    uniqueIndex('resource_limit_account_id_type_key').on(table.accountId, table.type),
    uniqueIndex('resource_limit_domain_id_type_key').on(table.domainId, table.type),
    check('resource_limit_has_one_owner', sql`num_nonnulls(${table.accountId}, ${table.domainId}) = 1`),
    check('resource_limit_max_check', sql`${table.max} >= -1`),
  ],
);
