import type { Page } from '../../db/reads/list-query.js';
import { SlipwayError } from '../../shared/errors.js';
import { integer, string } from './parameters.js';

/** CloudStack's `default.page.size`: the size of a page, and the largest that can be asked for. */
const MAX_PAGE_SIZE = 500;

export const listParameters = {
  keyword: string('Only what has this text in its name.'),
  page: integer('Number of the page, from 1.', { min: 1 }),
  pagesize: integer(`Entries of a page, at most ${MAX_PAGE_SIZE}; -1 stands for ${MAX_PAGE_SIZE}.`, { min: -1 }),
};

export function pageOf({ page = 1, pagesize = -1 }: { page?: number; pagesize?: number }): Page {
  if (pagesize === 0 || pagesize > MAX_PAGE_SIZE) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `The page size must be between 1 and ${MAX_PAGE_SIZE}; ${pagesize} is not`,
    );
  }
  const limit = pagesize === -1 ? MAX_PAGE_SIZE : pagesize;
  return { limit, offset: (page - 1) * limit };
}
