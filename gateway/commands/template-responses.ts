import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import type { Listed } from '../../db/reads/list-query.js';
import {
  type ListedTemplate,
  listTemplateCopies,
  listTemplateDetails,
  type TemplateCopy,
} from '../../db/reads/list-templates.js';
import { isoResponse } from '../responses/iso.js';
import { templateResponse } from '../responses/template.js';

const idsOf = (rows: ListedTemplate[]): string[] => [...new Set(rows.map(({ template }) => template.id))];

/** A page of templates with what is told of each: three queries, however many templates. */
export async function templateResponses(db: Database, caller: Caller, { count, rows }: Listed<ListedTemplate>) {
  const show = await templateEntries(db, rows);
  return { count, items: rows.map((row) => show(row, caller)) };
}

/** A page of ISOs, which have no details. */
export async function isoResponses(db: Database, caller: Caller, { count, rows }: Listed<ListedTemplate>) {
  const show = await isoEntries(db, rows);
  return { count, items: rows.map((row) => show(row, caller)) };
}

/** What is told of templates, read once for whoever is told. */
export async function templateEntries(db: Database, rows: ListedTemplate[]) {
  const ids = idsOf(rows);
  const [copiesOf, details] = await Promise.all([readCopies(db, ids), listTemplateDetails(db, ids)]);
  return (row: ListedTemplate, caller: Caller) => templateResponse(row, { copies: copiesOf(row), details }, caller);
}

export async function isoEntries(db: Database, rows: ListedTemplate[]) {
  const copiesOf = await readCopies(db, idsOf(rows));
  return (row: ListedTemplate, caller: Caller) => isoResponse(row, copiesOf(row), caller);
}

/** Copies by template and zone: a page of 500 templates on a thousand pools is not to be walked once for each row. */
async function readCopies(db: Database, ids: string[]): Promise<(row: ListedTemplate) => TemplateCopy[]> {
  const places = new Map<string, TemplateCopy[]>();
  for (const copy of await listTemplateCopies(db, ids)) {
    const key = `${copy.templateId} ${copy.zoneId}`;
    const copies = places.get(key);
    if (copies) copies.push(copy);
    else places.set(key, [copy]);
  }
  return ({ template, zoneId }) => places.get(`${template.id} ${zoneId}`) ?? [];
}
