import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { DeleteDomainInput } from '../shared/accounts.js';
import { control } from './activity-proxies.js';
import { removeOwned } from './remove-owned.js';

/** Removes what the accounts of a domain and of those below own, then the accounts and the domains. */
export const deleteDomain = (input: DeleteDomainInput): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    await removeOwned({ domainId: input.domainId }, input.jobId);
    await control('the domain is gone').recordDomainDeleted(input);
    setCurrentDetails('Deleted');
  });
