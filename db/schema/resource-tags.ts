import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id } from './columns.js';
import { networks } from './networks.js';
import { user } from './user.js';
import { vmInstance } from './vm-instance.js';
import { vmTemplate } from './vm-template.js';
import { volumes } from './volumes.js';

/** What owners write on what is theirs. Slipway looks at none of it. A trigger removes those of what is removed. */
export const resourceTags = pgTable(
  'resource_tags',
  {
    id: id(),
    key: text().notNull(),
    value: text().notNull(),
    /** As the client that wrote it calls itself. */
    customer: text(),
    /** Whose the resource is; missing for a network that is for everybody. */
    accountId: uuid().references(() => account.id, { onDelete: 'restrict' }),
    instanceId: uuid().references(() => vmInstance.id, { onDelete: 'cascade' }),
    /** A template or an ISO. */
    templateId: uuid().references(() => vmTemplate.id, { onDelete: 'cascade' }),
    volumeId: uuid().references(() => volumes.id, { onDelete: 'cascade' }),
    networkId: uuid().references(() => networks.id, { onDelete: 'cascade' }),
    /** An account that has tags itself. */
    taggedAccountId: uuid().references(() => account.id, { onDelete: 'cascade' }),
    userId: uuid().references(() => user.id, { onDelete: 'cascade' }),
    created: created(),
  },
  (table) => [
    unique('resource_tags_instance_id_key_key').on(table.instanceId, table.key),
    unique('resource_tags_template_id_key_key').on(table.templateId, table.key),
    unique('resource_tags_volume_id_key_key').on(table.volumeId, table.key),
    unique('resource_tags_network_id_key_key').on(table.networkId, table.key),
    unique('resource_tags_tagged_account_id_key_key').on(table.taggedAccountId, table.key),
    unique('resource_tags_user_id_key_key').on(table.userId, table.key),
    // What has a tag.
    index('resource_tags_key_value_idx').on(table.key, table.value),
    // A page of a list in its order, of one account and of all.
    index('resource_tags_account_id_created_id_idx').on(table.accountId, table.created, table.id),
    index('resource_tags_created_id_idx').on(table.created, table.id),
    check(
      'resource_tags_of_one',
      sql`num_nonnulls(${table.instanceId}, ${table.templateId}, ${table.volumeId}, ${table.networkId}, ${table.taggedAccountId}, ${table.userId}) = 1`,
    ),
    check('resource_tags_of_somebody', sql`${table.accountId} is not null or ${table.networkId} is not null`),
  ],
);
