import type { ListedKeyPair } from '../../db/reads/list-ssh-key-pairs.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const keyPairFields = {
  id: field('string', 'ID of the key pair.'),
  name: field('string', 'Name, of which an account has one.'),
  fingerprint: field('string', 'MD5 of the public key.'),
  account: field('string', 'Account that owns it.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account. Slipway has this key, CloudStack has not.'),
} as const;

export const keyPairResponse = (row: ListedKeyPair): ResponseOf<typeof keyPairFields> => ({
  id: row.pair.id,
  name: row.pair.keypairName,
  fingerprint: row.pair.fingerprint,
  account: row.accountName,
  domainid: row.domainId,
  domain: row.domainName,
  domainpath: shownDomainPath(row.domainPath),
});
