import { and, eq, ne } from 'drizzle-orm';
import { randomBytes } from 'node:crypto';
import { addCertificate, revokeCertificate } from '../../../db/certificates.js';
import { joinHost } from '../../../db/join-host.js';
import { listCertificateHosts } from '../../../db/reads/list-certificates.js';
import {
  dataCenter,
  directDownloadCertificate as certificate,
  directDownloadCertificateHostMap as map,
  host,
  user,
} from '../../../db/schema/index.js';
import { keystoreDigest } from '../../../kvm/keystore/certificate-chain.js';
import { parseIndex } from '../../../kvm/keystore/keystore-index.js';
import { type KeystorePlan, type KeystoreReport, MOST_GENERATIONS } from '../../../shared/certificates.js';
import { startTestGateway, type TestGateway } from '../../../tests/support/test-gateway.js';
import type { ControlDependencies } from '../dependencies.js';
import { markHostUp } from '../host/mark-host.js';
import { planKeystores } from './plan-keystores.js';
import { recordKeystores } from './record-keystores.js';
import { recordReport } from './record-report.js';

let gateway: TestGateway;
let caller: Parameters<typeof addCertificate>[1];
let zoneId: string;
let hostId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  zoneId = gateway.seeded.zoneId;
  const { clusterId } = gateway.seeded;
  ({ hostId } = await joinHost(gateway.databaseUrl, { name: 'host-1', clusterId, publicKey: 'key', pools: [] }));
  const [admin] = await gateway.db.select().from(user).limit(1);
  caller = { accountId: admin!.accountId, userId: admin!.id };
});
beforeEach(() =>
  gateway.db
    .update(host)
    .set({ status: 'Up', keystoreGeneration: null, keystoreDigest: null, keystoreConfirmed: null })
    .where(eq(host.id, hostId)),
);
afterEach(() => gateway.db.delete(certificate));
afterAll(() => gateway.stop());

const dependencies = (): ControlDependencies => ({ db: gateway.db }) as ControlDependencies;
const add = (alias: string) =>
  addCertificate(gateway.db, caller, {
    zoneId,
    alias,
    facts: {
      certificate: alias,
      fingerprint: randomBytes(32).toString('hex'),
      subject: alias,
      issuer: alias,
      serialNumber: '1',
      version: 3,
      notBefore: '2020-01-01T00:00:00Z',
      notAfter: '2050-01-01T00:00:00Z',
    },
  });
const plan = () => planKeystores(dependencies())({ zoneId, hostIds: [hostId] });
/** What comes of an order. Without `has`, all that the host was told and did not reject. */
const answered = async (
  { hosts: [order], ...told }: KeystorePlan,
  { has, rejects = [] }: { has?: KeystorePlan['certificates']; rejects?: string[] } = {},
) => {
  const digest = keystoreDigest(has ?? told.certificates.filter(({ alias }) => !rejects.includes(alias)));
  const rejected = rejects.map((alias) => ({ alias, reason: 'unreadable' }));
  const applied = { report: { generation: told.generation, digest }, rejected };
  await recordKeystores(dependencies())({ ...told, outcomes: [{ ...order!, applied }] });
};
const failed = ({ hosts: [order], ...told }: KeystorePlan) =>
  recordKeystores(dependencies())({ ...told, outcomes: [{ ...order!, failure: 'its disk is full' }] });
/** What the host says by itself. */
const says = (report: KeystoreReport, before?: KeystoreReport) =>
  gateway.db.transaction(async (tx) => {
    const [self] = await tx.select().from(host).where(eq(host.id, hostId)).for('no key update');
    await recordReport(tx, self!, report, before);
  });
const statuses = async (): Promise<Record<string, string>> => {
  const certificates = await gateway.db.select().from(certificate);
  const aliases = new Map(certificates.map(({ id, alias }) => [id, alias]));
  const rows = await listCertificateHosts(gateway.db, [...aliases.keys()], hostId);
  return Object.fromEntries(rows.map(({ map, status }) => [aliases.get(map.certificateId), status]));
};
/** As when a backup is restored of the time when the zone had one certificate and this generation. */
const restore = async (generation: number) => {
  await gateway.db.delete(certificate).where(and(eq(certificate.zoneId, zoneId), ne(certificate.alias, 'x')));
  await gateway.db.update(dataCenter).set({ certificateGeneration: generation }).where(eq(dataCenter.id, zoneId));
};

it('confirms nothing that is to come by the answer to an order from before a restore of the database', async () => {
  await add('x');
  const first = await plan();
  await answered(first);
  await add('y');
  await add('z');
  const late = await plan();
  await restore(first.generation);
  await answered(late);
  const w = await add('w');
  expect(await statuses()).toMatchObject({ w: 'PENDING' });
  const next = await plan();
  await failed(next);
  expect(await statuses()).toEqual({ w: 'FAILED', x: 'FAILED' });
  await answered(next);
  expect(await statuses()).toEqual({ w: 'UPLOADED', x: 'UPLOADED' });
  await revokeCertificate(gateway.db, caller, w, undefined);
  expect(await statuses()).toEqual({ w: 'PENDING', x: 'UPLOADED' });
});

it.each([
  ['that it has it, when it has rejected it since', { early: {}, late: { rejects: ['x'] }, status: 'FAILED' }],
  ['that it rejects it, when it has it since', { early: { rejects: ['x'] }, late: {}, status: 'UPLOADED' }],
])('does not believe of a host what comes late: %s', async (_, { early, late, status }) => {
  await add('x');
  const first = await plan();
  await add('y');
  await answered(await plan(), late);
  await answered(first, early);
  expect(await statuses()).toEqual({ x: status, y: 'UPLOADED' });
});

it('doubts what was confirmed when the host has lost it, also while another certificate is on its way', async () => {
  await add('x');
  const first = await plan();
  await answered(first);
  await add('y');
  const { generation, certificates } = first;
  await says({ generation, digest: keystoreDigest([]) }, { generation, digest: keystoreDigest(certificates) });
  expect(await statuses()).toEqual({ x: 'PENDING', y: 'PENDING' });
  await failed(await plan());
  expect(await statuses()).toEqual({ x: 'FAILED', y: 'FAILED' });
});

it('keeps what was confirmed when a later change cannot be brought to the host', async () => {
  await add('x');
  const first = await plan();
  await answered(first);
  const y = await add('y');
  await answered(await plan());
  await revokeCertificate(gateway.db, caller, y, undefined);
  await failed(await plan());
  expect(await statuses()).toEqual({ x: 'UPLOADED', y: 'FAILED' });
});

it('does not take for revoked what the host proves to have', async () => {
  const x = await add('x');
  await add('y');
  const both = await plan();
  await answered(both);
  await revokeCertificate(gateway.db, caller, x, undefined);
  await answered(await plan());
  expect(await statuses()).toEqual({ x: 'REVOKED', y: 'UPLOADED' });
  await add('z');
  await answered(await plan(), { has: both.certificates });
  expect(await statuses()).toEqual({ x: 'FAILED', y: 'FAILED', z: 'FAILED' });
});

it('believes right answers of a host that has once spoken of a generation that there cannot be', async () => {
  await add('x');
  await says({ generation: 2 ** 50, digest: 'of none' });
  await answered(await plan());
  expect(await statuses()).toEqual({ x: 'UPLOADED' });
});

it('keeps room for generations, whatever a host says', async () => {
  await add('x');
  await says({ generation: MOST_GENERATIONS - 1, digest: 'of none' });
  const { generation } = await plan();
  expect(parseIndex(JSON.stringify({ generation: generation + 1_000, certificates: [] }))).toBeDefined();
});

it('keeps FAILED what the host rejects, until it has it or is to be without it', async () => {
  const x = await add('x');
  await answered(await plan(), { rejects: ['x'] });
  await add('y');
  await answered(await plan(), { rejects: ['x'] });
  expect(await statuses()).toEqual({ x: 'FAILED', y: 'UPLOADED' });
  await answered(await plan());
  expect(await statuses()).toEqual({ x: 'UPLOADED', y: 'UPLOADED' });
  await add('z');
  await answered(await plan(), { rejects: ['x'] });
  await revokeCertificate(gateway.db, caller, x, undefined);
  await answered(await plan());
  expect(await statuses()).toEqual({ x: 'REVOKED', y: 'UPLOADED', z: 'UPLOADED' });
});

it('lets no host be Up that was told of a certificate which was revoked in all of its zone meanwhile', async () => {
  const x = await add('x');
  // The host joins after the upload: nothing was said of it yet.
  await gateway.db.delete(map).where(eq(map.hostId, hostId));
  await gateway.db.update(host).set({ status: 'Connecting' }).where(eq(host.id, hostId));
  const early = await plan();
  await revokeCertificate(gateway.db, caller, x, undefined);
  await answered(early);
  const up = await markHostUp(dependencies())({ hostId, bootId: 'b', waitsForCertificates: true });
  expect([up, await statuses()]).toEqual(['certificates', { x: 'PENDING' }]);
});

it('does not confirm a revocation by what the host said before it had the certificate', async () => {
  const x = await add('x');
  const told = await plan();
  // Said before the order came, and recorded after what came of that and after the revocation.
  const early = { generation: 0, digest: keystoreDigest([]) };
  await answered(told);
  await revokeCertificate(gateway.db, caller, x, undefined);
  await says(early, early);
  expect(await statuses()).toEqual({ x: 'PENDING' });
});
