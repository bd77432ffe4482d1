import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { DeleteAccountInput } from '../shared/accounts.js';
import { control } from './activity-proxies.js';
import { removeOwned } from './remove-owned.js';

/**
 * Removes what an account owns, and then the account. It can call nothing since before this began, and what is removed
 * cannot be brought back: a cancellation changes nothing.
 */
export const deleteAccount = (input: DeleteAccountInput): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    await removeOwned({ accountId: input.accountId }, input.jobId);
    await control('the account is gone').recordAccountDeleted(input);
    setCurrentDetails('Deleted');
  });
