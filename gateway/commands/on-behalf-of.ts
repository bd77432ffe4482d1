import { findAccount } from '../../db/reads/find-account.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { findListedAccount } from '../../db/reads/list-accounts.js';
import { SlipwayError } from '../../shared/errors.js';
import { invalid } from '../protocol/invalid.js';
import { type ArgumentsOf, string, uuid } from '../protocol/parameters.js';
import type { CommandContext } from './define-command.js';
import { requireDomain } from './list-scope.js';
import { requireRank } from './own-account.js';

/** What every command takes that makes something which an account owns. */
export const onBehalfParameters = {
  account: string(
    'Name of the account that is to own it, for administrators; together with domainid. The caller when absent.',
  ),
  domainid: uuid('ID of the domain of that account.'),
};

/**
 * The caller as the account that something is made for: what it may use, what it owns and what limits count are those of
 * the account; the user stays who called. As in CloudStack, `domainid` alone changes nothing.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when there is no such account, SLIPWAY_PERMISSION_DENIED when it is not
 *   the caller's to work for, or may not call itself
 */
export async function onBehalfOf(
  { account, domainid }: ArgumentsOf<typeof onBehalfParameters>,
  context: CommandContext,
): Promise<Caller> {
  const { db, caller } = context;
  if (account === undefined) return caller;
  if (domainid === undefined) throw invalid('Account must be specified with domainId parameter');
  const domain = await requireDomain(domainid, context);
  const found = await findAccount(db, { name: account, domainId: domain.id });
  if (found?.id === caller.accountId) return caller;
  // Whether there is an account of that name is not for everybody either.
  if (caller.role === 'User') throw denied(`Can't create resources for account ${account} in domain ${domainid}`);
  const row = found && (await findListedAccount(db, found.id));
  if (!row) throw invalid(`Unable to find account ${account} in domain ${domainid}`);
  requireRank(caller, row.account.type);
  if (row.account.state !== 'enabled') {
    throw denied(`Can't add resources to the account ${account}, as it is ${row.account.state}`);
  }
  return {
    userId: caller.userId,
    accountId: row.account.id,
    role: row.account.type,
    domainId: row.account.domainId,
    domainPath: row.domainPath,
  };
}

const denied = (message: string): SlipwayError => new SlipwayError('SLIPWAY_PERMISSION_DENIED', message);
