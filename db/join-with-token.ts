import { eq, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { PoolPlace } from '../shared/hosts.js';
import type { HostJoinAnswer, HostJoinCheck } from '../shared/host-join.js';
import { isNewHostName, NEW_HOST_NAME_RULE } from '../shared/host-name.js';
import { announcePool, inOrder } from './announce-pool.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import { lockJoinToken, type JoinTokenRow, spendJoinToken } from './host-join-tokens.js';
import { addHost, findPresent } from './join-host.js';
import { findInstallationId } from './reads/find-installation-id.js';
import { cluster, dataCenter, host } from './schema/index.js';

type HostRow = typeof host.$inferSelect;

export interface JoinWithTokenInput {
  token: string;
  /** Of a token for a new host; a host that has new keys keeps its name. */
  name: string;
  /** Of a machine that is a host already. */
  hostId?: string | undefined;
  publicKey: string;
  arch?: string | undefined;
  pools: PoolPlace[];
}

/** What a token is for. It is not used up by the question. @throws SlipwayError SLIPWAY_JOIN_TOKEN */
export const checkJoinToken = (db: Database, token: string): Promise<HostJoinCheck> =>
  db.transaction(async (tx) => describe(tx, await lockJoinToken(tx, token)));

/**
 * Makes a machine a host of the cluster that the token names, or gives the host that it names another key.
 *
 * @throws SlipwayError SLIPWAY_JOIN_TOKEN; SLIPWAY_PARAMETER_INVALID when no new host may have the name;
 *   SLIPWAY_JOIN_REFUSED when it is another host's, the cluster is for another architecture, or a pool cannot be one of
 *   this host: then the token can still be used
 */
export const joinWithToken = (db: Database, input: JoinWithTokenInput): Promise<HostJoinAnswer> =>
  refuseTaken('host_name_key', `There is a host with the name ${input.name}`, () =>
    db.transaction(async (tx) => {
      const token = await lockJoinToken(tx, input.token);
      const { hostId, what } = await enrol(tx, token, input);
      for (const pool of inOrder(input.pools)) await announcePool(tx, hostId, pool).catch(refuseJoin);
      await spendJoinToken(tx, token);
      await audit(tx, token, {
        type: 'HOST.JOIN',
        description: `${what}, with token ${token.id}`,
        resourceType: 'Host',
        resourceId: hostId,
      });
      return { ...(await describe(tx, { clusterId: null, hostId })), hostId };
    }),
  );

async function enrol(
  tx: Transaction,
  { hostId, clusterId }: JoinTokenRow,
  input: JoinWithTokenInput,
): Promise<{ hostId: string; what: string }> {
  if (clusterId === null) return { hostId: hostId!, what: await giveKey(tx, hostId!, input.publicKey) };
  const known = await findPresent(tx, input);
  if (!known) {
    if (!isNewHostName(input.name)) {
      throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `name has to be ${NEW_HOST_NAME_RULE}`);
    }
    return { hostId: await addHost(tx, { ...input, clusterId }).catch(refuseJoin), what: `Host ${input.name} joined` };
  }
  // A token for a new host must not be enough to take the place of one that is there.
  if (known.publicKey !== input.publicKey || known.clusterId !== clusterId) throw nameIsTaken(known);
  return { hostId: known.id, what: `Host ${known.name} joined once more` };
}

/** Also one that was revoked is a host again. */
async function giveKey(tx: Transaction, hostId: string, publicKey: string): Promise<string> {
  const [self] = await tx.select().from(host).where(eq(host.id, hostId)).for('no key update');
  if (!self || self.removed !== null) throw refusal(`Host ${self?.name ?? hostId} was removed: join it as a new one`);
  await tx
    .update(host)
    .set({ publicKey, status: sql`case ${host.status} when 'Revoked' then 'Connecting' else ${host.status} end` })
    .where(eq(host.id, hostId));
  return `Host ${self.name} has a new key${self.status === 'Revoked' ? ', and is not revoked any more' : ''}`;
}

const nameIsTaken = ({ name, id, status }: HostRow): SlipwayError =>
  refusal(
    `There is a host ${name} with another key${status === 'Revoked' ? ', which was revoked' : ''}, or in another ` +
      `cluster. Give this one another name; or, if it is that host and lost its keys, join it with a token that was ` +
      `made with hostid=${id}`,
  );

async function describe(tx: Transaction, purpose: Pick<JoinTokenRow, 'clusterId' | 'hostId'>): Promise<HostJoinCheck> {
  const { clusterId, hostId } = purpose;
  const [self] = hostId === null ? [] : await tx.select().from(host).where(eq(host.id, hostId));
  const [home] = await tx
    .select({ zoneId: dataCenter.id, zoneName: dataCenter.name, clusterId: cluster.id, clusterName: cluster.name })
    .from(cluster)
    .innerJoin(dataCenter, eq(dataCenter.id, cluster.dataCenterId))
    .where(eq(cluster.id, self?.clusterId ?? clusterId!));
  return {
    installationId: await findInstallationId(tx),
    ...home!,
    ...(self && { hostId: self.id, hostName: self.name, isRevoked: self.status === 'Revoked' }),
  };
}

const refusal = (message: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_JOIN_REFUSED', message, { cause });

function refuseJoin(error: unknown): never {
  throw error instanceof SlipwayError ? refusal(error.message, error) : error;
}
