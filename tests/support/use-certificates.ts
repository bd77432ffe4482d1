import { createHash } from 'node:crypto';
import { provisionCertificates } from '../../client/provision-certificates.js';
import { addCertificate } from '../../db/certificates.js';
import { listCertificateHosts } from '../../db/reads/list-certificates.js';
import { directDownloadCertificate, event, user } from '../../db/schema/index.js';
import { certificateWorkflowId } from '../../shared/workflow-ids.js';
import type { FakeHost } from './fake-host.js';
import type { UsedControlPlane } from './use-control-plane.js';
import { waitFor } from './wait-for.js';

type Certificate = typeof directDownloadCertificate.$inferSelect;

export const DAY_MS = 86_400_000;

/** Certificates of the zone of a control plane, which are there for one test each. */
export function useCertificates({ plane }: Pick<UsedControlPlane, 'plane'>) {
  const caller = {} as Parameters<typeof addCertificate>[1];
  beforeAll(async () => {
    const [admin] = await plane.db.select().from(user).limit(1);
    Object.assign(caller, { userId: admin!.id, accountId: admin!.accountId });
  });
  afterEach(async () => {
    await plane.db.delete(directDownloadCertificate);
    await plane.db.delete(event);
  });

  /** As uploadTemplateDirectDownloadCertificate stores it. */
  const add = (
    alias: string,
    { days = 365, zoneId = plane.seeded.zoneId, pem = `PEM of ${alias}` } = {},
  ): Promise<Certificate> =>
    addCertificate(plane.db, caller, {
      zoneId,
      alias,
      facts: {
        certificate: pem,
        fingerprint: createHash('sha256').update(alias).digest('hex'),
        subject: alias,
        issuer: alias,
        serialNumber: '1',
        version: 3,
        notBefore: new Date(0).toISOString(),
        notAfter: new Date(Date.now() + days * DAY_MS).toISOString(),
      },
    });
  const statusOf = async (certificate: Certificate, fake: FakeHost) => {
    const [row] = await listCertificateHosts(plane.db, [certificate.id], fake.hostId);
    return row?.map.reason ?? row?.status;
  };
  const isStatus = (certificate: Certificate, fake: FakeHost, status: string) =>
    waitFor(
      `${certificate.alias} on ${fake.name} is ${status}`,
      async () => (await statusOf(certificate, fake)) === status,
    );
  const begin = (certificate: Certificate) =>
    provisionCertificates(plane.client, certificate, () => Promise.resolve(true));
  const provision = async (certificate: Certificate) => {
    await begin(certificate);
    await plane.client.workflow.getHandle(certificateWorkflowId(certificate.id)).result();
  };
  const upload = async (alias: string) => {
    const certificate = await add(alias);
    await provision(certificate);
    return certificate;
  };
  /** @returns names of the activities that it began, and of the children that it had; bytes of what those gave back */
  const sync = async () => {
    const workflowId = `sync-${crypto.randomUUID()}`;
    await plane.client.workflow.execute('syncCertificates', { workflowId, taskQueue: 'control', args: [] });
    const { events } = await plane.client.workflow.getHandle(workflowId).fetchHistory();
    const named = (type: { name?: string | null } | null | undefined) => type?.name ?? [];
    return {
      activities: (events ?? []).flatMap((one) => named(one.activityTaskScheduledEventAttributes?.activityType)),
      children: (events ?? []).flatMap((one) =>
        named(one.childWorkflowExecutionCompletedEventAttributes?.workflowType),
      ),
      handedBackBytes: (events ?? [])
        .flatMap((one) => one.childWorkflowExecutionCompletedEventAttributes?.result?.payloads ?? [])
        .reduce((sum, { data }) => sum + (data?.length ?? 0), 0),
    };
  };
  return { caller, add, statusOf, isStatus, begin, provision, upload, sync };
}
