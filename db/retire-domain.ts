import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { retire } from './accounts.js';
import type { Transaction } from './client.js';
import { holdDomain, lockBelow, lockDomainTree } from './domains.js';
import type { Caller } from './reads/find-caller.js';
import { account, domain } from './schema/index.js';

/**
 * Nothing is made in the domain and below from now on, and nobody of their accounts can call.
 *
 * @param withContents else it has to be empty
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_RESOURCE_STATE
 */
export async function retireDomain(
  tx: Transaction,
  caller: Caller,
  id: string,
  { withContents }: { withContents: boolean },
): Promise<void> {
  await lockDomainTree(tx);
  const row = await holdDomain(tx, id);
  if (row.parentId === null) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'The root domain cannot be deleted');
  await lockBelow(tx, row.path);
  const below = await tx
    .update(domain)
    .set({ state: 'Inactive' })
    .where(and(isNull(domain.removed), sql`starts_with(${domain.path}, ${row.path})`))
    .returning({ id: domain.id });
  const accounts = await tx
    .select({ id: account.id })
    .from(account)
    .where(
      and(
        inArray(
          account.domainId,
          below.map((one) => one.id),
        ),
        or(isNull(account.removed), eq(account.cleanupNeeded, true)),
      ),
    )
    // In one order: as whoever gives them tags.
    .orderBy(account.id)
    .for('no key update');
  if (!withContents && (accounts.length > 0 || below.length > 1)) {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `Can't delete the domain ${row.name}: it has ${accounts.length} accounts and ${below.length - 1} domains below; ` +
        'delete them first, or give cleanup=true',
    );
  }
  const ids = accounts.map((one) => one.id);
  if (ids.includes(caller.accountId)) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'The account of the caller is in that domain');
  }
  await retire(tx, ids);
}
