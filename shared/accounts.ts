/** Whose things are to be removed: an account's, or those of all accounts of a domain and below. */
export type Owner = { accountId: string } | { domainId: string };

export interface DeleteAccountInput {
  accountId: string;
  jobId: string;
}

export interface DisableAccountInput {
  accountId: string;
  jobId: string;
}

export interface DeleteDomainInput {
  domainId: string;
  jobId: string;
}
