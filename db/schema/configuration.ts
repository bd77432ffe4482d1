import { pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.js';

/** Global settings that differ from the default in `shared/settings.ts`, and facts of this installation. */
export const configuration = pgTable('configuration', {
  name: text().primaryKey(),
  value: text().notNull(),
  updated: instant().notNull().defaultNow(),
});
