import type { Database } from '../../db/client.js';
import { readSettings } from '../../db/settings.js';
import { integer } from '../protocol/parameters.js';

export const sortKeyParameter = {
  sortkey: integer(
    'Where it comes in lists: small numbers first, or large ones when the setting sortkey.algorithm is false. 0 at first.',
  ),
};

/** As `sortkey.algorithm` has it. */
export async function readSortOrder(db: Database): Promise<{ isAscending: boolean }> {
  return { isAscending: (await readSettings(db))['sortkey.algorithm'] === 'true' };
}
