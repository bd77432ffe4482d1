import { and, type Column, eq, inArray, isNull, not, or, type SQL, sql } from 'drizzle-orm';
import { rowCount, vmTemplate } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { inScope, ownedBy, type Scope } from './list-query.js';

/** CloudStack's views of templates. Nothing is shared with single accounts here, so two of them are always empty. */
export const TEMPLATE_FILTERS = [
  'featured',
  'self',
  'selfexecutable',
  'sharedexecutable',
  'executable',
  'community',
  'shared',
  'all',
] as const;

export interface TemplateView {
  templateFilter: (typeof TEMPLATE_FILTERS)[number];
  scope: Scope;
  /** The scope is of an account or a domain that was named: it narrows every view, and not only that of one's own. */
  isScopeNamed: boolean;
}

/** Whose images are and who else sees them, by columns of theirs or of what the database keeps of their numbers. */
interface Seen {
  accountId: Column;
  isPublic: SQL;
  isFeatured: SQL;
}

// Written out: of parameters of a prepared statement the planner would guess that hardly a row is left, and read them all.
export const isPublic = sql`${vmTemplate.isPublic}`;
const TEMPLATES: Seen = { accountId: vmTemplate.accountId, isPublic, isFeatured: sql`${vmTemplate.isFeatured}` };

/** What a caller may see and deploy whatever the view: what is theirs and what is public, a root admin all. */
function isVisible(caller: Caller, { accountId, isPublic: isOpen }: Seen): SQL | undefined {
  const isOwn = ownedBy(caller, accountId);
  return isOwn && or(isOwn, isOpen);
}

/** One template or ISO, if the caller may see it and it is neither deleted nor still to be validated. */
export const isUsableTemplate = (caller: Caller, id: string): SQL | undefined =>
  and(eq(vmTemplate.id, id), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed), isVisible(caller, TEMPLATES));

function isOfFilter({ templateFilter, scope }: TemplateView, seen: Seen): SQL | undefined {
  const isOwn = inScope(scope, seen.accountId);
  switch (templateFilter) {
    case 'featured':
      return and(seen.isPublic, seen.isFeatured);
    case 'community':
      return and(seen.isPublic, not(seen.isFeatured));
    case 'self':
    case 'selfexecutable':
      return isOwn;
    case 'executable':
      return isOwn && or(isOwn, seen.isPublic);
    case 'shared':
    case 'sharedexecutable':
      return sql`false`;
    case 'all':
      return undefined;
  }
}

/** Which templates a caller sees in a view. */
export const isInView = (caller: Caller, view: TemplateView, seen = TEMPLATES): SQL | undefined =>
  and(
    isVisible(caller, seen),
    isOfFilter(view, seen),
    view.isScopeNamed ? inScope(view.scope, seen.accountId) : undefined,
  );

/** Of `row_count`: what is listed of templates, or of ISOs, in a view. They are counted as the trigger calls them. */
export function isCountedInView(caller: Caller, view: TemplateView, { isIso }: { isIso: boolean }): SQL | undefined {
  const { counted, accountId } = rowCount;
  const owners = isIso ? 'iso' : 'template';
  const [community, featured] = [`${owners} community`, `${owners} featured`];
  const seen = { accountId, isPublic: inArray(counted, [community, featured]), isFeatured: eq(counted, featured) };
  return and(inArray(counted, [owners, community, featured]), isInView(caller, view, seen));
}
