import type { Page } from '../../db/reads/list-query.js';
import { invalid } from './invalid.js';
import { boolean, integer, string, withDefault } from './parameters.js';

/** CloudStack's `default.page.size`: the size of a page, and the largest that can be asked for. */
export const MAX_PAGE_SIZE = 500;

export const listParameters = {
  keyword: string('Only what has this text in its name.'),
  page: integer('Number of the page, from 1.', { min: 1 }),
  pagesize: integer(`Entries of a page, at most ${MAX_PAGE_SIZE}; -1 stands for ${MAX_PAGE_SIZE}.`, { min: -1 }),
};

/** For lists of which somebody may want to know how long they are, and no more. */
export const countParameters = {
  retrieveonlyresourcecount: withDefault(
    boolean('Whether the answer has the number of all, and no entries; false when absent.'),
    false,
  ),
};

/** Lists tell the number of all of a page behind their end, too. */
const NO_ENTRIES: Page = { limit: 0, offset: 1 };

interface PageArguments {
  page?: number;
  pagesize?: number;
  retrieveonlyresourcecount?: boolean;
}

export function pageOf({ page = 1, pagesize = -1, retrieveonlyresourcecount = false }: PageArguments): Page {
  if (pagesize === 0) throw invalid('The page size must be at least 1');
  if (pagesize > MAX_PAGE_SIZE) throw invalid(`Page size can't exceed max allowed page size value: ${MAX_PAGE_SIZE}`);
  if (retrieveonlyresourcecount) return NO_ENTRIES;
  const limit = pagesize === -1 ? MAX_PAGE_SIZE : pagesize;
  return { limit, offset: (page - 1) * limit };
}

/** The entries that were named, by `id` or by `ids`. */
export function idsOf({ id, ids }: { id?: string; ids?: string[] }): string[] | undefined {
  if (id !== undefined && ids !== undefined) throw invalid('Specify either id or ids but not both parameters');
  return id === undefined ? ids : [id];
}
