import { integer } from '../protocol/parameters.js';
import type { CommandContext } from './define-command.js';

export const sortKeyParameter = {
  sortkey: integer(
    'Where it comes in lists: small numbers first, or large ones when the setting sortkey.algorithm is false. 0 at first.',
  ),
};

/** As `sortkey.algorithm` has it. */
export async function sortOrder({ settings }: Pick<CommandContext, 'settings'>): Promise<{ isAscending: boolean }> {
  return { isAscending: (await settings())['sortkey.algorithm'] === 'true' };
}
