import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { count, eq } from 'drizzle-orm';
import { connectWorker } from '../../workers/connect-worker.js';
import { addCertificate } from '../../db/certificates.js';
import { certificateStatus } from '../../db/keystore-sql.js';
import {
  cluster,
  directDownloadCertificate,
  directDownloadCertificateHostMap,
  host,
  user,
} from '../../db/schema/index.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { makeCertificates } from './certificate-sync/make-certificates.js';
import type { HostsOptions } from './certificate-sync/hosts-process.js';
import { type HerdPlane, startHerdPlane } from './herd/herd-plane.js';
import { startTalkingProcess } from './herd/talking-process.js';
import { timed } from './contest.js';
import { type BenchOptions, type BenchResult, mean } from './result.js';

const CERTIFICATES = 20;
/** Of one workflow. */
const HOSTS_OF_BARE_ROUND = 50;
/**
 * Temporal gives a task to a poll that its worker has just given up, in one of some fifty thousand: whoever waits for it waits
 * for the heartbeat timeout. Such a round says nothing of either.
 */
const POLL_LOST_MS = 15_000;

/**
 * From hosts that have no certificate to all certificates confirmed by all of them, against one bare activity for each
 * host on the same queues, workers and server; and a round in which nothing is missing. Of each host there are its
 * queue for short work and the activity.
 */
export async function benchCertificateSync({ isQuick, rounds = 10 }: BenchOptions): Promise<BenchResult> {
  const hosts = isQuick ? 20 : 1000;
  const plane = await startHerdPlane();
  try {
    const hostIds = await addHosts(plane, hosts);
    const fleet = await startTalkingProcess('../certificate-sync/hosts-process.ts', {
      address: plane.installation.temporalAddress,
      hostIds,
    } satisfies HostsOptions);
    process.stderr.write(`${hosts} hosts wait for work\n`);
    try {
      return resultOf(hosts, await contest(plane, hostIds, rounds));
    } finally {
      await fleet.stop();
    }
  } finally {
    await plane.stop();
  }
}

/** Milliseconds of each round. */
interface Times {
  syncMs: number[];
  bareMs: number[];
  nothingMs: number[];
}

async function contest(plane: HerdPlane, hostIds: string[], rounds: number): Promise<Times> {
  const times: Times = { syncMs: [], bareMs: [], nothingMs: [] };
  const certificates = await makeCertificates(CERTIFICATES);
  const bare = await startBareRounds(plane, hostIds);
  const contenders = [
    async () => ({ syncMs: await timed(() => sync(plane)) }),
    async () => ({ bareMs: await timed(() => bare.run()) }),
  ];
  try {
    // The first round does not count: queues that nobody has used yet are slow, as is code that has not run.
    for (let round = 0; times.syncMs.length < rounds; round++) {
      await forget(plane);
      await wish(plane, certificates);
      const one = { syncMs: 0, bareMs: 0 };
      // In turns: a collection of Temporal's garbage comes about once a round, and would come always behind the same one.
      for (const contend of round % 2 === 0 ? contenders : contenders.toReversed()) Object.assign(one, await contend());
      await requireConfirmed(plane, hostIds.length * CERTIFICATES);
      const nothingMs = await timed(() => sync(plane));
      const { syncMs, bareMs } = one;
      const isCounted = round > 0 && Math.max(syncMs, bareMs) < POLL_LOST_MS;
      // Minutes go by: whoever waits is told how far it is.
      process.stderr.write(
        `round ${round}: ${syncMs.toFixed(0)} ms, bare ${bareMs.toFixed(0)} ms${isCounted ? '' : ', not counted'}\n`,
      );
      if (!isCounted) continue;
      times.syncMs.push(syncMs);
      times.bareMs.push(bareMs);
      times.nothingMs.push(nothingMs);
    }
  } finally {
    await bare.stop();
  }
  return times;
}

function resultOf(hosts: number, times: Times): BenchResult {
  // No medians: with a thousand hosts a collection of Temporal's garbage takes a second of a processor. It falls into one of a
  // few rounds, of those that make more garbage into more, and that is a part of what they cost.
  const [syncMs, bareMs, nothingMs] = [mean(times.syncMs), mean(times.bareMs), mean(times.nothingMs)];
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`.padStart(9);
  return {
    ratio: syncMs / bareMs,
    lines: [
      `${CERTIFICATES} certificates on ${hosts} simulated hosts; mean of ${times.syncMs.length}`,
      `from none to all confirmed         ${seconds(syncMs)}`,
      `one bare activity for each host    ${seconds(bareMs)}   ratio ${(syncMs / bareMs).toFixed(2)}`,
      `a round in which nothing is missing${seconds(nothingMs)}`,
    ],
    figures: { hosts, ...times },
  };
}

/** Hosts that are Up, as far as the database knows. */
async function addHosts({ db, seeded }: HerdPlane, hosts: number): Promise<string[]> {
  const [home] = await db.select().from(cluster).where(eq(cluster.id, seeded.clusterId));
  const { dataCenterId, podId, id: clusterId } = home!;
  const rows = Array.from({ length: hosts }, (_, index) => ({
    dataCenterId,
    podId,
    clusterId,
    name: `simulated-${index + 1}`,
    status: 'Up' as const,
    publicKey: 'none',
    // There is nothing on them to compare.
    bootId: 'simulated',
    reconciledBootId: 'simulated',
    reconciled: new Date().toISOString(),
  }));
  return (await db.insert(host).values(rows).returning({ id: host.id })).map(({ id }) => id);
}

const sync = ({ client }: HerdPlane): Promise<unknown> =>
  client.workflow.execute('syncCertificates', {
    workflowId: `certificate-sync-${randomUUID()}`,
    taskQueue: CONTROL_TASK_QUEUE,
    args: [],
  });

async function wish(
  { db, seeded }: HerdPlane,
  certificates: Awaited<ReturnType<typeof makeCertificates>>,
): Promise<void> {
  const [admin] = await db.select().from(user).limit(1);
  const caller = { userId: admin!.id, accountId: admin!.accountId };
  for (const [index, facts] of certificates.entries()) {
    await addCertificate(db, caller, { zoneId: seeded.zoneId, alias: `root-${index + 1}`, facts });
  }
}

/** Neither the database nor, as the database has it, a host has a certificate. Hosts that are told a set keep none. */
async function forget({ db }: HerdPlane): Promise<void> {
  await db.delete(directDownloadCertificate);
  await db.update(host).set({ keystoreGeneration: null, keystoreDigest: null, keystoreConfirmed: null });
}

async function requireConfirmed({ db }: HerdPlane, expected: number): Promise<void> {
  const { hostId, reason } = directDownloadCertificateHostMap;
  const rows = await db
    .select({ status: certificateStatus, reason, rows: count() })
    .from(directDownloadCertificateHostMap)
    .innerJoin(host, eq(host.id, hostId))
    .groupBy(certificateStatus, reason);
  if (rows.length === 1 && rows[0]?.status === 'UPLOADED' && rows[0].rows === expected) return;
  throw new Error(`Not all ${expected} certificates are UPLOADED: ${JSON.stringify(rows)}`);
}

/** Workflows that have one activity for each host, with a worker of their own. */
async function startBareRounds({ client, installation }: HerdPlane, hostIds: string[]) {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await connectWorker({ address: installation.temporalAddress });
  const taskQueue = `bare-${randomUUID()}`;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: path.join(import.meta.dirname, 'certificate-sync', 'bare-round.ts'),
      logger: new DefaultLogger('ERROR'),
    }),
  });
  const running = worker.run();
  const parts = Array.from({ length: Math.ceil(hostIds.length / HOSTS_OF_BARE_ROUND) }, (_, part) =>
    hostIds.slice(part * HOSTS_OF_BARE_ROUND, (part + 1) * HOSTS_OF_BARE_ROUND),
  );
  return {
    run: () =>
      Promise.all(
        parts.map((part) =>
          client.workflow.execute('bareRound', { workflowId: `bare-${randomUUID()}`, taskQueue, args: [part] }),
        ),
      ),
    async stop() {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}
