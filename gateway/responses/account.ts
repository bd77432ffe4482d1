import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { type ListedAccount, usersOfAccounts } from '../../db/reads/list-accounts.js';
import { readAccountUsage } from '../../db/reads/read-usage.js';
import { readSettings } from '../../db/settings.js';
import { roleOfType } from '../../shared/roles.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { usageFields, usageResponse } from './resource-usage.js';
import { userFields, userResponse } from './user.js';

export const accountFields = {
  id: field('string', 'ID of the account.'),
  name: field('string', 'Name of the account.'),
  accounttype: field('integer', '1 root admin, 2 domain admin, 0 user.'),
  roleid: field('string', 'ID of the role.'),
  roletype: field('string', 'Type of the role.'),
  rolename: field('string', 'Name of the role.'),
  domainid: field('string', 'ID of the domain.'),
  domain: field('string', 'Name of the domain.'),
  domainpath: field('string', 'Path of the domain.'),
  state: field('string', 'enabled, disabled or locked; removed for what is left of a deleted one.'),
  created: field('date', 'When the account was made.'),
  isdefault: field('boolean', 'Whether it is the default one of the installation.'),
  iscleanuprequired: field('boolean', 'Whether it was deleted and something that it owned is still there.'),
  ...usageFields,
  vmrunning: field('integer', 'Virtual machines that run.'),
  vmstopped: field('integer', 'Virtual machines that do not.'),
  groups: field('list', 'Always empty.'),
  user: field('list', 'Its users.', userFields),
} as const;

/**
 * Accounts as the API shows them.
 *
 * @param isUsageShown whether with what they use, which is counted
 */
export async function accountResponses(
  db: Database,
  caller: Caller,
  rows: ListedAccount[],
  { isUsageShown = true }: { isUsageShown?: boolean } = {},
): Promise<ResponseOf<typeof accountFields>[]> {
  const ids = rows.map(({ account }) => account.id);
  const users = await usersOfAccounts(db, ids);
  const usage = isUsageShown ? await readAccountUsage(db, ids) : [];
  const settings = await readSettings(db);
  return rows.map((row) => {
    const { account } = row;
    const role = roleOfType(account.type);
    const counted = usage.find(({ ownerId }) => ownerId === account.id);
    return {
      id: account.id,
      name: account.accountName,
      accounttype: role.accounttype,
      roleid: role.id,
      roletype: role.type,
      rolename: role.name,
      domainid: account.domainId,
      domain: row.domainName,
      domainpath: shownDomainPath(row.domainPath),
      state: account.removed === null ? account.state : 'removed',
      created: apiDate(account.created),
      isdefault: account.isDefault,
      iscleanuprequired: account.cleanupNeeded,
      ...(counted && {
        ...usageResponse(counted, { settings, isUnlimited: account.type === 'Admin' }),
        vmrunning: counted.running,
        vmstopped: counted.used.user_vm - counted.running,
      }),
      groups: [],
      user: users.filter(({ accountId }) => accountId === account.id).map((one) => userResponse(one, row, caller)),
    };
  });
}
