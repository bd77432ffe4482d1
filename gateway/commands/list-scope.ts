import { findAccount, findDomain } from '../../db/reads/find-account.js';
import type { Scope } from '../../db/reads/list-query.js';
import { SlipwayError } from '../../shared/errors.js';
import { invalid } from '../protocol/invalid.js';
import { type ArgumentsOf, boolean, string, uuid, withDefault } from '../protocol/parameters.js';
import type { CommandContext } from './define-command.js';

/** What every list of things that accounts own takes. */
export const scopeParameters = {
  account: string('Only what this account owns; of the domain domainid, or of that of the caller.'),
  domainid: uuid('Only what accounts of this domain own.'),
  isrecursive: withDefault(boolean('Whether domains below domainid count too; false when absent.'), false),
  listall: withDefault(
    boolean('Whether an administrator is shown what others own, and not only their own things; false when absent.'),
    false,
  ),
};

type ScopeArguments = ArgumentsOf<typeof scopeParameters>;

/**
 * Whose things a list is to have. As in CloudStack: without `listall`, administrators too are shown their own, unless they
 * name an id, an account or a domain.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED in CloudStack's words
 */
export async function scopeOf(
  { account, domainid, isrecursive, listall }: ScopeArguments,
  { db, caller }: Pick<CommandContext, 'db' | 'caller'>,
  { hasId }: { hasId: boolean },
): Promise<Scope> {
  const own: Scope = { of: 'account', accountId: caller.accountId };
  const isAdmin = caller.role !== 'User';
  const domain = domainid === undefined ? undefined : await requireDomain(domainid, { db, caller });
  if (account !== undefined) {
    const place = domain ?? { id: caller.domainId };
    const found = await findAccount(db, { name: account, domainId: place.id });
    if (!found) throw invalid(`Unable to find account ${account} in domain ${place.id}`);
    if (!isAdmin && found.id !== caller.accountId) throw noAccess(`account ${account}`);
    return { of: 'account', accountId: found.id };
  }
  if (!isAdmin) return own;
  if (domain) return { of: 'domain', path: domain.path, isRecursive: isrecursive };
  return listall || hasId ? { of: 'everybody' } : own;
}

/**
 * A domain that the caller may see: a user their own, a domain admin those below too.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED
 */
export async function requireDomain(
  id: string,
  { db, caller }: Pick<CommandContext, 'db' | 'caller'>,
): Promise<{ id: string; name: string; path: string }> {
  const domain = await findDomain(db, id);
  if (!domain) throw invalid(`Unable to find domain by id ${id}`);
  const isOpen =
    caller.role === 'Admin' ||
    domain.id === caller.domainId ||
    (caller.role === 'DomainAdmin' && domain.path.startsWith(caller.domainPath));
  if (!isOpen) throw noAccess(`domain ${id}`);
  return domain;
}

const noAccess = (what: string): SlipwayError =>
  new SlipwayError('SLIPWAY_PERMISSION_DENIED', `The caller does not have permission to operate with ${what}`);
