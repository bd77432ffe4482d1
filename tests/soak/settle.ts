import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eq, isNull, ne } from 'drizzle-orm';
import { asyncJob, host, JOB_STATUS, storagePool, vmInstance, vmTemplate } from '../../db/schema/index.js';
import { isDiskFormat } from '../../shared/images.js';
import type { ProvingGround } from '../support/proving-ground.js';
import { waitFor } from '../support/wait-for.js';
import { findUntruths } from './find-untruths.js';
import type { Tally } from './tally.js';

const JOBS_MS = 240_000;
/** What is kept of a VM that was away when it was expunged goes with the next reconciliation. */
const KEPT_MS = 90_000;

/**
 * The end of a soak: all jobs end, every VM and host is what the database says, reconciliation finds nothing, and once
 * everything is removed nothing is left. Whatever is otherwise is noted.
 */
export async function settle(ground: ProvingGround, tally: Tally, onLine: (line: string) => void): Promise<void> {
  const { db, test } = ground;
  const attempt = (what: string, work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => tally.violated(`${what}: ${String(error)}`));

  onLine('the end: all jobs');
  await ground.isWhole();
  await attempt('the end of maintenance', endMaintenance(ground));
  await waitFor('all jobs have ended', async () => (await openJobs(ground)).length === 0, JOBS_MS).catch(async () => {
    for (const { jobCmd, id } of await openJobs(ground)) tally.violated(`${jobCmd}, job ${id}, does not end`);
  });

  onLine('the end: what is true');
  let untruths: string[] = [];
  await waitFor('everything is as the database says', async () => {
    untruths = await findUntruths(ground);
    return untruths.length === 0;
  }).catch(() => untruths.forEach((untruth) => tally.violated(untruth)));

  onLine('the end: reconciliation');
  const findings = test.reconcile().then((found) => found.forEach((one) => tally.violated(`reconciliation: ${one}`)));
  await attempt('reconciliation', findings);

  onLine('the end: all VMs, then all images');
  for (const { id } of await db.select().from(vmInstance).where(ne(vmInstance.state, 'Expunged'))) {
    await attempt(`expunge of VM ${id} in the end`, test.expunge(id));
  }
  for (const { id, format } of await db.select().from(vmTemplate).where(isNull(vmTemplate.removed))) {
    const deletion = isDiskFormat(format) ? test.deleteTemplate(id, { forced: true }) : test.run('deleteIso', { id });
    await attempt(`deletion of image ${id} in the end`, deletion);
  }
  await attempt('the end', test.leavesNothing());
  let kept: string[] = [];
  await waitFor(
    'hosts keep nothing of VMs that are gone',
    async () => {
      kept = await keptFiles(ground);
      return kept.length === 0;
    },
    KEPT_MS,
  ).catch(() => kept.forEach((file) => tally.violated(`kept on a host: ${file}`)));
}

const openJobs = ({ db }: ProvingGround) =>
  db.select().from(asyncJob).where(eq(asyncJob.jobStatus, JOB_STATUS.inProgress));

/** A job that brings a host or a pool into maintenance may still be at it: asked for again until all are back. */
async function endMaintenance({ db, test }: ProvingGround): Promise<void> {
  const isBack = async (): Promise<boolean> => {
    const hosts = await db.select().from(host).where(ne(host.resourceState, 'Enabled'));
    const pools = await db.select().from(storagePool).where(ne(storagePool.status, 'Up'));
    for (const { id } of hosts) await test.run('cancelHostMaintenance', { id }).catch(() => undefined);
    for (const { id } of pools) await test.run('cancelStorageMaintenance', { id }).catch(() => undefined);
    return hosts.length + pools.length === 0;
  };
  await waitFor('every host and pool takes work again', isBack, JOBS_MS, 1_000);
}

/** Console logs, and seeds of guests. */
async function keptFiles({ test }: ProvingGround): Promise<string[]> {
  const found: string[] = [];
  for (const { consoleDirectory } of test.installation.hosts) {
    const entries = await readdir(consoleDirectory, { recursive: true, withFileTypes: true });
    found.push(...entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)));
  }
  return found;
}
