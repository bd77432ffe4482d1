import { pgTable, text } from 'drizzle-orm/pg-core';
import { created, id } from './columns.js';

export const guestOs = pgTable('guest_os', {
  id: id(),
  displayName: text().notNull().unique('guest_os_display_name_key'),
  category: text().notNull(),
  created: created(),
});
