import { rm, writeFile } from 'node:fs/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { eq, sql } from 'drizzle-orm';
import {
  directDownloadCertificate as certificateTable,
  directDownloadCertificateHostMap as map,
  host as hostTable,
} from '../../db/schema/index.js';
import { listCertificateHosts } from '../../db/reads/list-certificates.js';
import { keystoreDigest } from '../../kvm/keystore/certificate-chain.js';
import { certificateWorkflowId } from '../../shared/workflow-ids.js';
import { CERTIFICATE_SCHEDULE_ID } from '../../workers/control-worker/certificate-schedule.js';
import type { RunId } from '../support/await-step.js';
import { seen } from '../support/find-run.js';
import type { ProvingGround } from '../support/proving-ground.js';
import { waitFor } from '../support/wait-for.js';
import { isOnDisk, keystoreDirectory, strayKeystoreFiles } from './keystore-of.js';

const ALIAS = 'corporate';
const SETTLED_WITHIN_MS = 90_000;

type Certificate = typeof certificateTable.$inferSelect;

/** The one certificate of an installation: what is wanted of it, what is said of it, and what hosts have on their disks. */
export class CertificateOnHosts {
  readonly #ground: ProvingGround;
  readonly #pem: string;

  constructor(ground: ProvingGround, pem: string) {
    this.#ground = ground;
    this.#pem = pem;
  }

  async upload(): Promise<void> {
    await this.#call('uploadTemplateDirectDownloadCertificate', { certificate: this.#pem });
  }

  async revoke(): Promise<void> {
    await this.#call('revokeTemplateDirectDownloadCertificate', {});
  }

  /** Uploads it while the first host cannot write; when it can again, nobody has told it of the certificate. */
  async uploadInVain(): Promise<void> {
    const [first] = this.#ground.test.installation.hosts;
    const directory = await keystoreDirectory(first!);
    await rm(directory, { recursive: true, force: true });
    await writeFile(directory, '');
    try {
      await this.upload();
      await waitFor('the first host has failed', async () => (await this.statuses())[0] === 'FAILED');
    } finally {
      await rm(directory);
    }
  }

  /** Has the schedule begin a round. Answers how to find its run. */
  async sync(): Promise<() => Promise<RunId>> {
    const schedule = this.#ground.temporal.schedule.getHandle(CERTIFICATE_SCHEDULE_ID);
    const before = await this.#ground.persist('the schedule', () => schedule.describe());
    await schedule.trigger();
    return () =>
      seen('a round of the sync', async () => {
        const { info } = await schedule.describe();
        if (info.numActionsTaken === before.info.numActionsTaken) return undefined;
        const { workflowId, firstExecutionRunId: runId } = info.recentActions.at(-1)!.action.workflow;
        return { workflowId, runId };
      });
  }

  /** Resolves when it is written down that hosts are to have it, or not any more. */
  async isWanted(wanted: boolean): Promise<void> {
    await seen('what is wanted of the certificate', async () => {
      const row = await this.#find();
      return row?.revoked === !wanted || undefined;
    });
  }

  /** The run that brings the last change to hosts, once it has been started. */
  provisioning(formerRunId?: string): Promise<RunId> {
    return seen('a run of provisionCertificates', async () => {
      const workflowId = certificateWorkflowId((await this.#find())!.id);
      const { runId } = await this.#ground.temporal.workflow.getHandle(workflowId).describe();
      return runId === formerRunId ? undefined : { workflowId, runId };
    });
  }

  /** What is said of it on each host, in the order of the installation. */
  async statuses(): Promise<string[]> {
    const { db, test } = this.#ground;
    const certificate = await this.#find();
    const rows = certificate ? await listCertificateHosts(db, [certificate.id]) : [];
    return test.installation.hosts.map(
      ({ id }) => rows.find(({ map: { hostId } }) => hostId === id)?.status ?? 'unknown',
    );
  }

  /**
   * Resolves when every host has one of these statuses. What nobody works on any more is left to the loop of certificates
   * that wait, for which a minute is made to pass.
   *
   * @returns whether that was needed
   */
  async settles(within: readonly string[]): Promise<{ isResumed: boolean }> {
    let isResumed = false;
    const isSettled = async (): Promise<boolean> => {
      const statuses = await this.statuses();
      if (statuses.every((status) => within.includes(status))) return true;
      if (statuses.includes('PENDING') && !(await this.#isWorkedOn())) {
        await this.#ground.db.update(map).set({ lastUpdated: sql`now() - interval '2 minutes'` });
        isResumed = true;
      }
      return false;
    };
    const what = `the certificate is ${within.join(' or ')} everywhere`;
    await waitFor(what, () => isSettled().catch(() => false), SETTLED_WITHIN_MS).catch(async (error: unknown) => {
      throw new Error(`It is ${(await this.statuses()).join(', ')}`, { cause: error });
    });
    return { isResumed };
  }

  /**
   * Compares what is said with what is on disks. What is said stays the same only while hosts keep what they have.
   *
   * @throws Error when a host has not what it is said to have confirmed
   */
  async isTrue(): Promise<void> {
    const said = () => this.statuses().catch(() => undefined);
    const certificate = await this.#find().catch(() => undefined);
    const before = await said();
    if (!certificate || !before) return;
    const { hosts } = this.#ground.test.installation;
    const present = await Promise.all(hosts.map((host) => isOnDisk(host, certificate)));
    const after = await said();
    for (const [index, status] of before.entries()) {
      if (status !== after?.[index]) continue;
      const claim = { UPLOADED: true, REVOKED: false }[status];
      if (claim !== undefined && claim !== present[index]) {
        throw new Error(`It is ${status} and ${present[index] ? 'still' : 'not'} on ${hosts[index]!.name}`);
      }
    }
  }

  /** What hosts are known to have is what they have, with no file beside it. */
  async isKnown(): Promise<void> {
    const certificate = (await this.#find())!;
    for (const host of this.#ground.test.installation.hosts) {
      const present = (await isOnDisk(host, certificate)) ? [certificate] : [];
      const stray = await strayKeystoreFiles(host, present);
      if (stray.length > 0) throw new Error(`Left over among the certificates of ${host.name}: ${stray.join(', ')}`);
      await waitFor(`what ${host.name} has is known`, async () => {
        const [row] = await this.#ground.db.select().from(hostTable).where(eq(hostTable.id, host.id));
        return row!.keystoreDigest === keystoreDigest(present);
      });
    }
  }

  async #isWorkedOn(): Promise<boolean> {
    const workflowId = certificateWorkflowId((await this.#find())!.id);
    try {
      const { status } = await this.#ground.temporal.workflow.getHandle(workflowId).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  async #find(): Promise<Certificate | undefined> {
    const [row] = await this.#ground.db.select().from(certificateTable).where(eq(certificateTable.alias, ALIAS));
    return row;
  }

  async #call(command: string, parameters: Record<string, string>): Promise<void> {
    const { client } = this.#ground.test;
    const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
    await client.call(command, { name: ALIAS, hypervisor: 'KVM', zoneid: zone[0]!.id, ...parameters });
  }
}
