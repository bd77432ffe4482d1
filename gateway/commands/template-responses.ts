import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import type { Listed } from '../../db/reads/list-query.js';
import { type ListedTemplate, listTemplateCopies, listTemplateDetails } from '../../db/reads/list-templates.js';
import { isoResponse } from '../responses/iso.js';
import { templateResponse } from '../responses/template.js';

const idsOf = (rows: ListedTemplate[]): string[] => [...new Set(rows.map(({ template }) => template.id))];

/** A page of templates with what is told of each: three queries, however many templates. */
export async function templateResponses(db: Database, caller: Caller, { count, rows }: Listed<ListedTemplate>) {
  const ids = idsOf(rows);
  const [copies, details] = await Promise.all([listTemplateCopies(db, ids), listTemplateDetails(db, ids)]);
  return { count, items: rows.map((row) => templateResponse(row, { copies, details }, caller)) };
}

/** A page of ISOs, which have no details. */
export async function isoResponses(db: Database, caller: Caller, { count, rows }: Listed<ListedTemplate>) {
  const copies = await listTemplateCopies(db, idsOf(rows));
  return { count, items: rows.map((row) => isoResponse(row, copies, caller)) };
}
