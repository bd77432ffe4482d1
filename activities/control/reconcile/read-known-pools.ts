import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { hasRunningJob } from '../../../db/job-sql.js';
import { capacityClaim, templateSpoolRef, vmInstance, vmTemplate, volumes } from '../../../db/schema/index.js';
import {
  isInstalledTemplate,
  parseTemplateFileName,
  parseVolumeFileName,
  templateFileName,
} from '../../../kvm/storage/file-names.js';
import type { PoolInventory } from '../../../shared/reconciliation.js';
import type { Transaction } from '../dependencies.js';
import type { KnownPool, KnownVolume } from './compare-pool.js';

/** What the database knows of listed files, by pool. Call it in a transaction that sees one state of the database. */
export async function readKnownPools(
  tx: Transaction,
  pools: readonly PoolInventory[],
): Promise<Map<string, KnownPool>> {
  const names = pools.flatMap(({ files }) => files);
  const templateIds = await knownTemplates(tx, names);
  const known = new Map<string, KnownPool>();
  for (const { poolId, files } of pools) {
    known.set(poolId, {
      copies: await copiesOn(tx, poolId),
      templateIds,
      volumes: await volumesOf(
        tx,
        poolId,
        idsOf(files, (name) => parseVolumeFileName(name)?.volumeId),
      ),
    });
  }
  return known;
}

async function knownTemplates(tx: Transaction, names: readonly string[]): Promise<Set<string>> {
  const ids = idsOf(names.filter(isInstalledTemplate), (name) => parseTemplateFileName(name)?.templateId);
  if (ids.length === 0) return new Set();
  const rows = await tx.select({ id: vmTemplate.id }).from(vmTemplate).where(inArray(vmTemplate.id, ids));
  return new Set(rows.map(({ id }) => id));
}

async function copiesOn(tx: Transaction, poolId: string): Promise<KnownPool['copies']> {
  const rows = await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, poolId));
  return rows.map((row) => ({
    fileName: row.installPath ?? templateFileName(row),
    isInstalled: row.state === 'Ready' || row.state === 'Superseded',
  }));
}

/** Volumes that files are named after, wherever the database has them, and those that it has on the pool. */
async function volumesOf(tx: Transaction, poolId: string, ids: string[]): Promise<KnownVolume[]> {
  const rows = await tx
    .select({
      volume: volumes,
      vmState: vmInstance.state,
      fenceToken: vmInstance.fenceToken,
      isWorkedOn: hasRunningJob(tx, vmInstance.id) as SQL<boolean>,
      claimedTokens: sql<string[]>`array(select ${capacityClaim.token} from ${capacityClaim}
        where ${capacityClaim.vmId} = ${vmInstance.id})`,
    })
    .from(volumes)
    .innerJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
    .where(
      or(
        ids.length > 0 ? inArray(volumes.id, ids) : undefined,
        and(eq(volumes.poolId, poolId), eq(volumes.state, 'Ready')),
      ),
    );
  return rows.map(({ volume, vmState, fenceToken, isWorkedOn, claimedTokens }) => {
    // Taken out of its VM, and still to be removed: whoever does that knows of the file.
    const isLeaving = volume.removed !== null && volume.state !== 'Expunged';
    return {
      volumeId: volume.id,
      fileName: volume.path,
      isExpected: volume.state === 'Ready' && volume.removed === null && volume.poolId === poolId,
      fenceToken,
      claimedTokens: claimedTokens.map(Number),
      isBusy: isWorkedOn || isLeaving || ['Starting', 'Stopping', 'Expunging'].includes(vmState),
    };
  });
}

const idsOf = (names: readonly string[], idOf: (name: string) => string | undefined): string[] => [
  ...new Set(names.map(idOf).filter((id) => id !== undefined)),
];
