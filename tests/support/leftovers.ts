import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { eq, isNotNull, ne, or, sql, sum } from 'drizzle-orm';
import { type Database, openDatabase } from '../../db/client.js';
import {
  asyncJob,
  capacityClaim,
  cleanupDebt,
  host,
  stageWaiter,
  storagePool,
  templateSpoolRef,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import type { Installation } from '../../embedded/installation.js';
import { POOL_MARKER } from '../../kvm/storage/pool-marker.js';

const run = promisify(execFile);

/**
 * What should not be there once every VM is expunged: files on pools other than Ready copies of templates that exist, domains, claimed
 * capacity, rows of copies, volumes, waiters, debts and unfinished jobs, open workflows other than the hosts' lives.
 *
 * @returns one line for each thing found
 */
export async function findLeftovers(installation: Installation): Promise<string[]> {
  const { db, close } = openDatabase(installation.databaseUrl, { applicationName: 'leftovers', max: 1 });
  try {
    const copies = await db.select().from(templateSpoolRef);
    return [
      ...rows(
        'copy that is not Ready',
        copies.filter(({ state }) => state !== 'Ready'),
      ),
      ...rows('copy of a deleted template', await copiesOfDeleted(db)),
      ...rows('volume', await db.select().from(volumes).where(ne(volumes.state, 'Expunged'))),
      ...rows('waiter', await db.select().from(stageWaiter)),
      ...rows('claim', await db.select().from(capacityClaim)),
      ...rows('debt', await db.select().from(cleanupDebt)),
      ...rows(
        'unfinished job',
        await db
          .select()
          .from(asyncJob)
          .where(sql`${asyncJob.jobStatus} = 0`),
      ),
      ...rows('VM', await db.select().from(vmInstance).where(ne(vmInstance.state, 'Expunged'))),
      ...rows(
        'template that registers',
        await db
          .select()
          .from(vmTemplate)
          .where(sql`${vmTemplate.state} = 'Registering'`),
      ),
      ...rows(
        'host with claimed capacity',
        await db
          .select()
          .from(host)
          .where(or(ne(host.cpuUsedMhz, 0), ne(host.ramUsedBytes, 0))),
      ),
      ...rows(
        'pool with allocated bytes',
        await db.select().from(storagePool).where(ne(storagePool.allocatedBytes, 0)),
      ),
      ...rows('pool that counts other template bytes than its copies', await miscountedPools(db)),
      ...(await strayFiles(installation, copies)),
      ...(await strayDomains(installation, await db.select().from(vmInstance))),
      ...(await openWorkflows(installation)),
    ];
  } finally {
    await close();
  }
}

/** Nothing stands on it any more, once every VM is expunged. */
const copiesOfDeleted = (db: Database) =>
  db
    .select({ templateId: templateSpoolRef.templateId, poolId: templateSpoolRef.poolId })
    .from(templateSpoolRef)
    .innerJoin(vmTemplate, eq(vmTemplate.id, templateSpoolRef.templateId))
    .where(isNotNull(vmTemplate.removed));

const miscountedPools = (db: Database) =>
  db
    .select({ poolId: storagePool.id, counted: storagePool.templateBytes, taken: sum(templateSpoolRef.reservedBytes) })
    .from(storagePool)
    .leftJoin(templateSpoolRef, eq(templateSpoolRef.poolId, storagePool.id))
    .groupBy(storagePool.id)
    .having(sql`${storagePool.templateBytes} <> coalesce(sum(${templateSpoolRef.reservedBytes}), 0)`);

const rows = (what: string, found: unknown[]): string[] => found.map((row) => `${what}: ${JSON.stringify(row)}`);

async function strayFiles(
  { hosts }: Installation,
  copies: { poolId: string; installPath: string | null }[],
): Promise<string[]> {
  const found: string[] = [];
  for (const { poolId, poolPath } of hosts) {
    const installed = copies.filter((copy) => copy.poolId === poolId).map(({ installPath }) => installPath);
    const expected = [POOL_MARKER, ...installed];
    for (const name of await readdir(poolPath)) if (!expected.includes(name)) found.push(`file: ${poolPath}/${name}`);
  }
  return found;
}

async function strayDomains({ hosts }: Installation, vms: { instanceName: string }[]): Promise<string[]> {
  const { stdout } = await run('virsh', ['-c', hosts[0]!.libvirtUri, 'list', '--all', '--name']);
  return stdout
    .split('\n')
    .filter((name) => vms.some(({ instanceName }) => instanceName === name))
    .map((name) => `domain: ${name}`);
}

async function openWorkflows({ temporalAddress }: Installation): Promise<string[]> {
  const client = new Client({ connection: await Connection.connect({ address: temporalAddress }) });
  try {
    const found: string[] = [];
    for await (const { workflowId, type } of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      if (type !== 'hostLifecycle') found.push(`open workflow: ${type} ${workflowId}`);
    }
    return found;
  } finally {
    await client.connection.close();
  }
}
