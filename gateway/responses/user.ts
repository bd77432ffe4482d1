import type { Caller } from '../../db/reads/find-caller.js';
import type { UserRow } from '../../db/reads/list-accounts.js';
import type { ListedUser } from '../../db/reads/list-users.js';
import { roleOfType } from '../../shared/roles.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const userFields = {
  id: field('string', 'ID of the user.'),
  username: field('string', 'Name to log in with.'),
  firstname: field('string', 'First name.'),
  lastname: field('string', 'Last name.'),
  email: field('string', 'E-mail address.'),
  created: field('date', 'When the user was added.'),
  state: field('string', 'enabled, disabled or locked.'),
  account: field('string', 'Name of the account.'),
  accountid: field('string', 'ID of the account.'),
  accounttype: field('integer', 'Type of the account: 1 root admin, 2 domain admin, 0 user.'),
  usersource: field('string', 'Always native.'),
  roleid: field('string', 'ID of the role.'),
  roletype: field('string', 'Type of the role.'),
  rolename: field('string', 'Name of the role.'),
  domainid: field('string', 'ID of the domain.'),
  domain: field('string', 'Name of the domain.'),
  timezone: field('string', 'Time zone, as it was given.'),
  apikey: field('string', 'API key, if there is one; for those who may have the secret key too.'),
  iscallerchilddomain: field('boolean', 'Whether the domain is below that of the caller.'),
  isdefault: field('boolean', 'Whether the account is the default one of the installation.'),
  is2faenabled: field('boolean', 'Always false.'),
  is2famandated: field('boolean', 'Always false.'),
} as const;

type Owner = Pick<ListedUser, 'account' | 'domainName' | 'domainPath'>;

export function userResponse(row: UserRow, owner: Owner, caller: Caller): ResponseOf<typeof userFields> {
  const { account } = owner;
  const role = roleOfType(account.type);
  return {
    id: row.id,
    username: row.username,
    firstname: row.firstname,
    lastname: row.lastname,
    email: row.email,
    created: apiDate(row.created),
    state: row.state,
    account: account.accountName,
    accountid: account.id,
    accounttype: role.accounttype,
    usersource: 'native',
    roleid: role.id,
    roletype: role.type,
    rolename: role.name,
    domainid: account.domainId,
    domain: owner.domainName,
    timezone: row.timezone,
    apikey: row.apiKey,
    iscallerchilddomain: owner.domainPath !== caller.domainPath && owner.domainPath.startsWith(caller.domainPath),
    isdefault: account.isDefault,
    is2faenabled: false,
    is2famandated: false,
  };
}
