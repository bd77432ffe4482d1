import { account, domain } from '../schema/index.js';

/** Who owns what is listed; `account` and its `domain` have to be joined. */
export const ownerColumns = {
  accountName: account.accountName,
  accountType: account.type,
  domainId: domain.id,
  domainName: domain.name,
  domainPath: domain.path,
};
