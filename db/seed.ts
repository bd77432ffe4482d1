import { randomBytes, randomUUID } from 'node:crypto';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { SettingValues } from '../shared/settings.js';
import { openDatabase, type Transaction } from './client.js';
import { userNetworkOf } from './networks.js';
import { hashPassword } from './password.js';
import { findInstallationId, INSTALLATION_ID } from './reads/find-installation-id.js';
import {
  account,
  cluster,
  configuration,
  dataCenter,
  diskOffering,
  domain,
  guestOs,
  hostPodRef,
  serviceOffering,
  user,
} from './schema/index.js';
import { makeUserKeys } from './user-keys.js';
import { createSecretBox, type SecretBox } from './secret-box.js';
import { applyAtStart } from './settings.js';

/** Any number; only one process seeds at a time. */
const SEED_LOCK = 7_091_147;

export interface AdminCredentials {
  username: string;
  /** Known only when this call made the account: the database keeps its hash. */
  password?: string;
  apiKey: string;
  secretKey: string;
}

export interface SeedResult {
  installationId: string;
  zoneId: string;
  podId: string;
  clusterId: string;
  admin: AdminCredentials;
}

/**
 * What an empty installation needs to be used: a zone with a pod, a cluster and a network, offerings, OS types, the root admin.
 * What is there already is left alone, so that it can run at every start.
 */
export async function seed(
  databaseUrl: string,
  options: { secretKeyBase64: string; settings?: Partial<SettingValues> },
): Promise<SeedResult> {
  const secretBox = await createSecretBox(options.secretKeyBase64);
  const { db, close } = openDatabase(databaseUrl, { applicationName: 'slipway-seed', max: 1 });
  try {
    await applyAtStart(db, options.settings ?? {});
    return await db.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${SEED_LOCK})`);
      await tx.insert(guestOs).values(GUEST_OSES).onConflictDoNothing();
      await tx.insert(serviceOffering).values(OFFERINGS).onConflictDoNothing();
      await diskOfferings(tx);
      const ids = await zone(tx);
      await userNetworks(tx);
      return {
        installationId: await installationId(tx),
        ...ids,
        admin: await admin(tx, secretBox),
      };
    });
  } finally {
    await close();
  }
}

async function installationId(tx: Transaction): Promise<string> {
  await tx.insert(configuration).values({ name: INSTALLATION_ID, value: randomUUID() }).onConflictDoNothing();
  return findInstallationId(tx);
}

/** One that was deleted does not come back with the next start. */
async function diskOfferings(tx: Transaction): Promise<void> {
  const known = await tx.select({ name: diskOffering.name }).from(diskOffering);
  const missing = DISK_OFFERINGS.filter(({ name }) => !known.some((offering) => offering.name === name));
  if (missing.length > 0) await tx.insert(diskOffering).values(missing);
}

/** Also for the zones of a database that is older than networks are. */
async function userNetworks(tx: Transaction): Promise<void> {
  const zones = await tx.select({ id: dataCenter.id }).from(dataCenter).where(isNull(dataCenter.removed));
  for (const { id } of zones) await userNetworkOf(tx, id);
}

/** The first cluster that there is, for hosts that nobody sends elsewhere; made when operators have deleted them all. */
async function zone(tx: Transaction): Promise<{ zoneId: string; podId: string; clusterId: string }> {
  const [found] = await tx
    .select({ zoneId: cluster.dataCenterId, podId: cluster.podId, clusterId: cluster.id })
    .from(cluster)
    .where(isNull(cluster.removed))
    .orderBy(cluster.created)
    .limit(1);
  if (found) return found;
  const [someZone] = await tx
    .select({ id: dataCenter.id })
    .from(dataCenter)
    .where(isNull(dataCenter.removed))
    .orderBy(dataCenter.created)
    .limit(1);
  const zoneId = someZone?.id ?? (await tx.insert(dataCenter).values({ name: 'zone-1' }).returning())[0]!.id;
  const [somePod] = await tx
    .select({ id: hostPodRef.id })
    .from(hostPodRef)
    .where(and(eq(hostPodRef.dataCenterId, zoneId), isNull(hostPodRef.removed)))
    .orderBy(hostPodRef.created)
    .limit(1);
  const pod = { name: 'pod-1', dataCenterId: zoneId };
  const podId = somePod?.id ?? (await tx.insert(hostPodRef).values(pod).returning())[0]!.id;
  const [made] = await tx.insert(cluster).values({ name: 'cluster-1', dataCenterId: zoneId, podId }).returning();
  return { zoneId, podId, clusterId: made!.id };
}

async function admin(tx: Transaction, secretBox: SecretBox): Promise<AdminCredentials> {
  const username = 'admin';
  const [found] = await tx
    .select({ apiKey: user.apiKey, secretKeyEncrypted: user.secretKeyEncrypted })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    // Others may be called so in domains of their own.
    .where(and(eq(user.username, username), eq(account.isDefault, true), isNull(user.removed)));
  if (found?.apiKey && found.secretKeyEncrypted) {
    return { username, apiKey: found.apiKey, secretKey: secretBox.decrypt(found.secretKeyEncrypted) };
  }
  const [root] = await tx.insert(domain).values({ name: 'ROOT', path: '/' }).returning();
  const [owner] = await tx
    .insert(account)
    .values({ accountName: username, type: 'Admin', domainId: root!.id, isDefault: true })
    .returning();
  const password = randomBytes(18).toString('base64url');
  const { apiKey, secretKey } = makeUserKeys();
  await tx.insert(user).values({
    username,
    password: await hashPassword(password),
    accountId: owner!.id,
    domainId: root!.id,
    firstname: 'Admin',
    lastname: 'User',
    apiKey,
    secretKeyEncrypted: secretBox.encrypt(secretKey),
  });
  return { username, password, apiKey, secretKey };
}

/** CloudStack's two stock offerings. */
const OFFERINGS = [
  { name: 'Small Instance', displayText: 'Small Instance', cpu: 1, speedMhz: 500, ramMb: 512 },
  { name: 'Medium Instance', displayText: 'Medium Instance', cpu: 1, speedMhz: 1000, ramMb: 1024 },
];

const GIB = 1024 ** 3;

/** CloudStack's stock disk offerings. */
const DISK_OFFERINGS = [
  { name: 'Small', displayText: 'Small Disk, 5 GB', sizeBytes: 5 * GIB, isCustomized: false },
  { name: 'Medium', displayText: 'Medium Disk, 20 GB', sizeBytes: 20 * GIB, isCustomized: false },
  { name: 'Large', displayText: 'Large Disk, 100 GB', sizeBytes: 100 * GIB, isCustomized: false },
  { name: 'Custom', displayText: 'Custom Disk', sizeBytes: null, isCustomized: true },
];

const GUEST_OSES = [
  ['CentOS', 'CentOS 9'],
  ['Debian', 'Debian GNU/Linux 12 (64-bit)'],
  ['Debian', 'Debian GNU/Linux 13 (64-bit)'],
  ['Fedora', 'Fedora Linux (64 bit)'],
  ['Ubuntu', 'Ubuntu 22.04 LTS'],
  ['Ubuntu', 'Ubuntu 24.04 LTS'],
  ['Windows', 'Windows Server 2022 (64-bit)'],
  ['Other', 'Other Linux (64-bit)'],
  ['Other', 'Other (64-bit)'],
].map(([category, displayName]) => ({ category: category!, displayName: displayName! }));
