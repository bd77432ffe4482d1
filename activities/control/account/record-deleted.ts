import { and, eq, inArray, isNull, notExists, sql } from 'drizzle-orm';
import { audit } from '../../../db/audit.js';
import { lockDomainTree, noteDomain } from '../../../db/domains.js';
import { completeJob, type JobRow } from '../../../db/jobs.js';
import { account, domain, networks, nics, resourceLimit, sshKeypairs } from '../../../db/schema/index.js';
import type { DeleteAccountInput, DeleteDomainInput, Owner } from '../../../shared/accounts.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { SUCCEEDED } from '../job-outcomes.js';
import { lockRunningJob } from '../running-job.js';
import { isOwnedBy } from './remove-some-owned.js';

/** The account is as good as never there, but for what refers to it, and the job done. */
export const recordAccountDeleted =
  ({ db }: ControlDependencies) =>
  async ({ accountId, jobId }: DeleteAccountInput): Promise<void> =>
    db.transaction(async (tx) => {
      const job = await lockRunningJob(tx, jobId);
      if (!job) return;
      await removeAccounts(tx, { accountId }, job);
      await completeJob(tx, jobId, { ...SUCCEEDED, result: { success: true } });
    });

/** The same of a domain with those below, and of their accounts. */
export const recordDomainDeleted =
  ({ db }: ControlDependencies) =>
  async ({ domainId, jobId }: DeleteDomainInput): Promise<void> =>
    db.transaction(async (tx) => {
      const job = await lockRunningJob(tx, jobId);
      if (!job) return;
      await lockDomainTree(tx);
      await removeAccounts(tx, { domainId }, job);
      const above = sql`(select path from ${domain} above where above.id = ${domainId})`;
      const removed = await tx
        .update(domain)
        .set({ removed: new Date().toISOString() })
        .where(and(isNull(domain.removed), sql`starts_with(${domain.path}, ${above})`))
        .returning();
      for (const row of removed) {
        await tx.delete(resourceLimit).where(eq(resourceLimit.domainId, row.id));
        await noteDomain(tx, job, row, { type: 'DOMAIN.DELETE', what: 'was deleted' });
      }
      await completeJob(tx, jobId, { ...SUCCEEDED, result: { success: true } });
    });

async function removeAccounts(tx: Transaction, owner: Owner, { userId }: JobRow): Promise<void> {
  const rows = await tx
    .update(account)
    .set({ cleanupNeeded: false })
    .where(and(isOwnedBy(tx, owner, account.id), eq(account.cleanupNeeded, true)))
    .returning();
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  await tx.delete(sshKeypairs).where(inArray(sshKeypairs.accountId, ids));
  await tx.delete(resourceLimit).where(inArray(resourceLimit.accountId, ids));
  // An operator may have put a VM of somebody else into one: then it stays for that.
  const users = tx
    .select({ one: sql`1` })
    .from(nics)
    .where(and(eq(nics.networkId, networks.id), isNull(nics.removed)));
  const isOfThem = and(inArray(networks.accountId, ids), isNull(networks.removed));
  // In one order: else this and who gives them tags would wait for each other.
  await tx.select({ id: networks.id }).from(networks).where(isOfThem).orderBy(networks.id).for('no key update');
  await tx
    .update(networks)
    .set({ removed: new Date().toISOString() })
    .where(and(isOfThem, notExists(users)));
  for (const { id, accountName } of rows) {
    await audit(
      tx,
      { accountId: id, userId },
      {
        type: 'ACCOUNT.DELETE',
        description: `Account ${accountName} was deleted`,
        resourceType: 'Account',
        resourceId: id,
      },
    );
  }
}
