import { pgTable, text } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';

export const domain = pgTable('domain', {
  id: id(),
  name: text().notNull(),
  path: text().notNull().unique('domain_path_key'),
  created: created(),
  removed: removed(),
});
