import { findAccount } from '../../db/reads/find-account.js';
import { type Caller, mayWorkOn } from '../../db/reads/find-caller.js';
import { findListedAccount, type ListedAccount } from '../../db/reads/list-accounts.js';
import { findUser, type ListedUser } from '../../db/reads/list-users.js';
import { SlipwayError } from '../../shared/errors.js';
import { type Role, ROLES } from '../../shared/roles.js';
import { invalid } from '../protocol/invalid.js';
import { integer, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';
import { requireDomain } from './list-scope.js';

/** Two ways to name an account. */
export const accountParameters = {
  id: uuid('ID of the account.'),
  account: string('Name of the account, when there is no id; together with domainid.'),
  domainid: uuid('ID of the domain of the account.'),
};

interface NamedAccount {
  id?: string | undefined;
  account?: string | undefined;
  domainid?: string | undefined;
}

/**
 * An account that the caller may change.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED
 */
export async function ownAccount(named: NamedAccount, context: CommandContext): Promise<ListedAccount> {
  const { db, caller, command } = context;
  const id = named.id ?? (await idOfName(named, context));
  const row = await findListedAccount(db, id);
  // Of one with more rights than the caller's `requireRank` says so.
  if (!row || !mayWorkOn(caller, { accountId: id, accountType: 'User', domainPath: row.domainPath })) {
    throw noSuchEntity(command, named.id === undefined ? 'account' : 'id', named.id ?? named.account ?? '');
  }
  requireRank(caller, row.account.type);
  return row;
}

async function idOfName({ account, domainid }: NamedAccount, context: CommandContext): Promise<string> {
  if (account === undefined || domainid === undefined) {
    throw invalid('Either id, or account together with domainid, must be specified');
  }
  const domain = await requireDomain(domainid, context);
  const found = await findAccount(context.db, { name: account, domainId: domain.id });
  if (!found) throw invalid(`Unable to find account ${account} in domain ${domainid}`);
  return found.id;
}

/**
 * A user whose account the caller may work on.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PERMISSION_DENIED
 */
export async function ownUser(id: string, { db, caller, command }: CommandContext): Promise<ListedUser> {
  const row = await findUser(db, caller, { id });
  if (!row) throw noSuchEntity(command, 'id', id);
  requireRank(caller, row.account.type);
  return row;
}

/**
 * Nobody gives rights that they do not have, and nobody takes over an account that has more.
 *
 * @throws SlipwayError SLIPWAY_PERMISSION_DENIED
 */
export function requireRank(caller: Caller, type: Role['type']): void {
  const ranks: Record<Role['type'], number> = { User: 0, DomainAdmin: 1, Admin: 2 };
  if (ranks[type] <= ranks[caller.role]) return;
  throw new SlipwayError(
    'SLIPWAY_PERMISSION_DENIED',
    'The caller may not work on an account with more rights than theirs',
  );
}

/** Two ways to name a role. */
export const roleParameters = {
  accounttype: integer('Type of the account, when there is no roleid: 1 root admin, 2 domain admin, 0 user.'),
  roleid: uuid('ID of the role, as listRoles has it.'),
};

/** @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PARAMETER_INVALID */
export function roleOf(
  { accounttype, roleid }: { accounttype?: number | undefined; roleid?: string | undefined },
  command: string,
): Role | undefined {
  if (accounttype === undefined && roleid === undefined) return undefined;
  const role = ROLES.find((one) => (roleid === undefined ? one.accounttype === accounttype : one.id === roleid));
  if (role) return role;
  throw roleid === undefined
    ? invalid(`There is no account type ${accounttype}; types are 0, 1 and 2`)
    : noSuchEntity(command, 'roleid', roleid);
}
