import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Transaction } from './client.js';
import { cluster, CLUSTER_ARCHS } from './schema/index.js';

/**
 * All hosts of a cluster have one architecture: that which an operator has said, or else that of its first host.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when a host of this architecture cannot be in the cluster
 */
export async function requireClusterArch(
  tx: Transaction,
  { clusterId, name, arch }: { clusterId: string; name: string; arch: string },
): Promise<void> {
  const known = CLUSTER_ARCHS.find((candidate) => candidate === arch);
  if (!known) throw refusal(`Host ${name} is ${arch}, and clusters are ${CLUSTER_ARCHS.join(' or ')}`);
  // Of two first hosts the second waits here, and finds what the first has made it.
  await tx
    .update(cluster)
    .set({ arch: known })
    .where(and(eq(cluster.id, clusterId), isNull(cluster.arch)));
  // Whoever changes it at this moment is waited for, and waits for the host to be there.
  const [home] = await tx.select().from(cluster).where(eq(cluster.id, clusterId)).for('key share');
  if (!home || home.arch === known) return;
  throw refusal(
    `Host ${name} is ${arch}, and cluster ${home.name} is for ${home.arch}: it needs a cluster that addCluster has made ` +
      `with arch=${arch}`,
  );
}

const refusal = (message: string): SlipwayError => new SlipwayError('SLIPWAY_RESOURCE_STATE', message);
