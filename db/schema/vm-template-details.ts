import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { id } from './columns.js';
import { vmTemplate } from './vm-template.js';

export const vmTemplateDetails = pgTable(
  'vm_template_details',
  {
    id: id(),
    templateId: uuid()
      .notNull()
      .references(() => vmTemplate.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    value: text().notNull(),
  },
  (table) => [index('vm_template_details_template_id_idx').on(table.templateId)],
);
