import { eq, inArray } from 'drizzle-orm';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packKeystore, planKeystores } from '../../activities/control/keystore/plan-keystores.js';
import { recordKeystores } from '../../activities/control/keystore/record-keystores.js';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { joinHost } from '../../db/join-host.js';
import { directDownloadCertificate, directDownloadCertificateHostMap, event, host } from '../../db/schema/index.js';
import { acceptCertificates } from '../../kvm/keystore/accept-certificates.js';
import { keystoreDigest } from '../../kvm/keystore/certificate-chain.js';
import { unpackKeystore } from '../../kvm/keystore/packed-certificates.js';
import { certificatesFor, MOST_KEYSTORE_BYTES } from '../../shared/certificates.js';
import { type CertificateAuthority, createAuthority } from '../../tests/support/certificate-authority.js';
import { addZone } from '../../tests/support/add-zone.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';

const KVM = 'KVM';
type Answer = Record<string, unknown>;

let gateway: TestGateway;
let directory: string;
let authority: CertificateAuthority;
let expired: string;
let key: string;
const hostIds: string[] = [];

beforeAll(async () => {
  gateway = await startTestGateway();
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-certificates-'));
  authority = await createAuthority(directory, 'Image servers', { days: 5 });
  expired = await readFile((await authority.issue('old', ['DNS:a.example'], { days: -1 })).certificate, 'utf8');
  key = await readFile((await authority.issue('server', ['DNS:a.example'])).key, 'utf8');
  for (const name of ['host-1', 'host-2']) {
    const { clusterId } = gateway.seeded;
    hostIds.push((await joinHost(gateway.databaseUrl, { name, clusterId, publicKey: 'key', pools: [] })).hostId);
  }
});
beforeEach(async () => {
  await gateway.db.update(host).set({ status: 'Up' });
  gateway.onProvision = answer;
});
afterEach(async () => {
  await gateway.db.delete(directDownloadCertificate);
  await gateway.db.delete(event);
});
afterAll(async () => {
  await gateway.stop();
  await rm(directory, { recursive: true, force: true });
});

/** What the workflow does with hosts that do as they are told. */
const answer = async ({ zoneId }: { zoneId: string }): Promise<void> => {
  const dependencies = { db: gateway.db } as ControlDependencies;
  const up = await gateway.db.select().from(host).where(eq(host.status, 'Up'));
  const plan = await planKeystores(dependencies)({ zoneId, hostIds: up.map(({ id }) => id) });
  const { generation, certificates } = plan;
  const outcomes = plan.hosts.map((order) => {
    const digest = keystoreDigest(certificatesFor(order, certificates));
    return { ...order, applied: { report: { generation, digest }, rejected: [] } };
  });
  await recordKeystores(dependencies)({ zoneId, generation, certificates, outcomes });
};

const call = (command: string, parameters: Record<string, string | boolean>) =>
  gateway.admin.call(`${command}TemplateDirectDownloadCertificate${command === 'list' ? 's' : ''}`, parameters);
const upload = async (parameters: Record<string, string> = {}) => {
  const answered = await call('upload', {
    certificate: authority.certificatePem,
    name: 'images',
    hypervisor: 'kvm',
    zoneid: gateway.seeded.zoneId,
    ...parameters,
  });
  return answered['uploadtemplatedirectdownloadcertificate'] as Answer & { id: string; hostsmap: Answer[] };
};
const revoke = (parameters: Record<string, string>) => call('revoke', { zoneid: gateway.seeded.zoneId, ...parameters });
const statuses = async (id: string) => {
  const { directdownloadcertificate } = await call('list', { id, listhosts: true });
  const [listed] = directdownloadcertificate as { hostsmap: Answer[] }[];
  return listed!.hostsmap.map(({ status }) => status);
};
const onHosts = (first: string, second: string) => [
  { hostid: hostIds[0], hostname: 'host-1', status: first },
  { hostid: hostIds[1], hostname: 'host-2', status: second },
];

describe('uploadTemplateDirectDownloadCertificate', () => {
  it('tells of no failure of a certificate that another one took the place of while hosts were told', async () => {
    gateway.onProvision = () => Promise.resolve();
    await upload();
    const dependencies = { db: gateway.db } as ControlDependencies;
    const { zoneId } = gateway.seeded;
    const { generation, certificates, hosts } = await planKeystores(dependencies)({ zoneId, hostIds });
    await gateway.db.delete(directDownloadCertificate);
    const packed = await packKeystore(dependencies)({ certificates });
    const { accepted, rejected } = acceptCertificates(unpackKeystore({ generation }, packed).certificates);
    expect([accepted.length, rejected.length]).toEqual([0, 1]);
    const applied = { report: { generation, digest: keystoreDigest(accepted) }, rejected };
    const outcomes = hosts.map((order) => ({ ...order, applied }));
    await recordKeystores(dependencies)({ zoneId, generation, certificates, outcomes });
    const isFailure = eq(event.type, 'DIRECT.DOWNLOAD.CERTIFICATE.FAILURE');
    expect(await gateway.db.select().from(event).where(isFailure)).toEqual([]);
  });

  it('leaves room for generations whatever a host says that it has', async () => {
    gateway.onProvision = () => Promise.resolve();
    const { zoneId } = gateway.seeded;
    const said = { keystoreGeneration: Number.MAX_SAFE_INTEGER - 1, keystoreDigest: 'of something' };
    await gateway.db.update(host).set(said).where(eq(host.id, hostIds[0]!));
    await upload();
    const { generation } = await planKeystores({ db: gateway.db } as ControlDependencies)({ zoneId, hostIds });
    expect(generation).toBeGreaterThan(0);
    expect(generation).toBeLessThan(Number.MAX_SAFE_INTEGER / 2);
    await gateway.db.update(host).set({ keystoreGeneration: null, keystoreDigest: null });
  });

  it('answers as CloudStack does, once hosts have confirmed it', async () => {
    const uploaded = await upload();
    expect(uploaded).toEqual({
      id: expect.any(String) as string,
      alias: 'images',
      zoneid: gateway.seeded.zoneId,
      zonename: expect.any(String) as string,
      version: '3',
      subject: 'CN=Image servers',
      issuer: 'CN=Image servers',
      validity: expect.stringMatching(
        /^From: \[\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}\] - To: \[\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}\]$/,
      ) as string,
      serialnum: expect.stringMatching(/^\d+$/) as string,
      hypervisor: KVM,
      expirystatus: 'EXPIRES_IN_7_DAYS',
      hostsmap: onHosts('UPLOADED', 'UPLOADED'),
    });
    const { hostsmap, ...rest } = uploaded;
    expect(hostsmap).toHaveLength(2);
    expect(await call('list', {})).toEqual({ count: 1, directdownloadcertificate: [rest] });
    expect(await call('list', { listhosts: true, zoneid: gateway.seeded.zoneId })).toEqual({
      count: 1,
      directdownloadcertificate: [uploaded],
    });
    expect(await gateway.db.select().from(event)).toContainEqual(
      expect.objectContaining({
        type: 'DIRECT.DOWNLOAD.CERTIFICATE.UPLOAD',
        description: 'Certificate images is to be trusted by all hosts of its zone',
        userId: expect.any(String) as string,
      }),
    );
  });

  it('says of hosts that have not answered that it is under way, and of those that are Down that it waits', async () => {
    await gateway.db.update(host).set({ status: 'Down' }).where(eq(host.id, hostIds[1]!));
    gateway.onProvision = async (_, isSettled) => expect(await isSettled()).toBe(false);
    const { hostsmap } = await upload();
    expect(hostsmap).toEqual([
      { ...onHosts('PENDING', '')[0], details: 'It is still being provisioned' },
      {
        ...onHosts('', 'SKIPPED')[1],
        details: 'The host is Down: it will be provisioned when the host is Up again',
      },
    ]);
  });

  it('waits for no host that is Down', async () => {
    await gateway.db.update(host).set({ status: 'Down' });
    gateway.onProvision = async (_, isSettled) => expect(await isSettled()).toBe(true);
    await upload();
  });

  it.each<[string, () => Record<string, string>, number, string]>([
    ['another hypervisor', () => ({ hypervisor: 'VMware' }), 431, 'Currently supporting KVM hosts only'],
    ['a certificate that is too long', () => ({ certificate: 'A'.repeat(65_536) }), 431, 'max allowed length 65535'],
    ['a zone that is not there', () => ({ zoneid: crypto.randomUUID() }), 431, 'Invalid parameter zoneid'],
    ['a host that is not there', () => ({ hostid: crypto.randomUUID() }), 431, 'Invalid parameter hostid'],
    ['a blank name', () => ({ name: ' ' }), 530, 'has to be a DNS label'],
    ['a name that is no DNS label', () => ({ name: 'a.b' }), 530, 'has to be a DNS label'],
    ['a name that is too long', () => ({ name: 'a'.repeat(64) }), 530, 'has to be a DNS label'],
    ['a reserved name', () => ({ name: 'cloud' }), 530, 'Please provide a different alias name'],
    ['a reserved beginning of a name', () => ({ name: 'CloudCA-1' }), 530, 'Please provide a different alias name'],
    ['what is no certificate', () => ({ certificate: 'nothing' }), 530, 'cannot be read as a certificate'],
    ['an expired certificate', () => ({ certificate: expired }), 530, 'Certificate is invalid. Please provide a valid'],
    ['a private key', () => ({ certificate: `${authority.certificatePem}${key}` }), 530, 'private key'],
    ['a host for a name that is not there', () => ({ hostid: hostIds[0]! }), 530, 'Unable to upload certificate'],
  ])('refuses %s, and keeps nothing', async (_, parameters, errorcode, text) => {
    await expect(upload(parameters())).rejects.toMatchObject({
      errorcode,
      errortext: expect.stringContaining(text) as string,
    });
    expect(await gateway.db.select().from(directDownloadCertificate)).toEqual([]);
    expect(await gateway.db.select().from(event)).toEqual([]);
    expect(gateway.log()).not.toContain(key.split('\n')[1]);
  });

  it('refuses a name that is taken, whatever its case, and takes it again after it was revoked everywhere', async () => {
    const { id } = await upload();
    const taken = { errorcode: 530, errortext: 'Certificate alias IMAGES has been already created' };
    await expect(upload({ name: 'IMAGES' })).rejects.toMatchObject(taken);
    await revoke({ id });
    await upload({ hostid: hostIds[0]! });
    await expect(upload({ name: 'IMAGES' })).rejects.toMatchObject(taken);
    await revoke({ id, hostid: hostIds[0]! });
    const again = await upload({ name: 'IMAGES' });
    expect(again.id).not.toBe(id);
    expect(again.hostsmap).toEqual(onHosts('UPLOADED', 'UPLOADED'));
    expect(await call('list', {})).toMatchObject({ count: 1 });
  });

  it('takes a name again that only a host which was removed has still', async () => {
    const { id } = await upload();
    await revoke({ id });
    await upload({ hostid: hostIds[0]! });
    const isFirst = eq(host.id, hostIds[0]!);
    await gateway.db.update(host).set({ status: 'Removed', removed: new Date().toISOString() }).where(isFirst);
    expect((await upload()).id).not.toBe(id);
    await gateway.db.update(host).set({ removed: null }).where(isFirst);
  });

  it('refuses what would be too much for one message', async () => {
    const { id } = await upload();
    const big = 'x'.repeat(MOST_KEYSTORE_BYTES - 100);
    await gateway.db
      .update(directDownloadCertificate)
      .set({ certificate: big })
      .where(eq(directDownloadCertificate.id, id));
    const refusal = { errorcode: 530, errortext: expect.stringContaining('Revoke those that nobody needs') as string };
    await expect(upload({ name: 'second' })).rejects.toMatchObject(refusal);
    expect(await call('list', {})).toMatchObject({ count: 1 });
    // One host that is to have it is enough, and none that is to have it takes no room.
    await revoke({ id });
    await upload({ hostid: hostIds[0]! });
    await expect(upload({ name: 'second' })).rejects.toMatchObject(refusal);
    await revoke({ id, hostid: hostIds[0]! });
    await upload({ name: 'second' });
    await expect(call('provision', { id, hostid: hostIds[0]! })).rejects.toMatchObject(refusal);
  });
});

describe('revokeTemplateDirectDownloadCertificate', () => {
  it('takes it from all hosts, by name too, and from those that join', async () => {
    const { id } = await upload();
    const answered = await revoke({ name: 'Images', hypervisor: KVM });
    expect(answered).toEqual({ count: 2, directdownloadcertificatehoststatus: onHosts('REVOKED', 'REVOKED') });
    const plan = planKeystores({ db: gateway.db } as ControlDependencies);
    const { clusterId, zoneId } = gateway.seeded;
    const joined = await joinHost(gateway.databaseUrl, { name: 'late', clusterId, publicKey: 'key', pools: [] });
    expect(await plan({ zoneId, hostIds: [joined.hostId] })).toMatchObject({ hosts: [] });
    await gateway.db.delete(host).where(eq(host.id, joined.hostId));
    expect(await statuses(id)).toEqual(['REVOKED', 'REVOKED']);
  });

  it('takes it from one host, to which it can be given again in two ways', async () => {
    const { id } = await upload();
    const hostid = hostIds[0]!;
    expect(await revoke({ id, hostid })).toEqual({
      count: 1,
      directdownloadcertificatehoststatus: [onHosts('REVOKED', '')[0]],
    });
    expect(await statuses(id)).toEqual(['REVOKED', 'UPLOADED']);
    expect(await upload({ hostid, certificate: 'ignored' })).toMatchObject({
      id,
      hostsmap: [onHosts('UPLOADED', '')[0]],
    });
    await revoke({ id, hostid });
    expect(await call('provision', { id, hostid })).toEqual({
      directdownloadcertificatehoststatus: onHosts('UPLOADED', '')[0],
    });
  });

  it('says of hosts that have not answered that it is under way', async () => {
    const { id } = await upload();
    gateway.onProvision = () => Promise.resolve();
    const { directdownloadcertificatehoststatus } = await revoke({ id });
    expect((directdownloadcertificatehoststatus as Answer[])[0]).toEqual({
      ...onHosts('PENDING', '')[0],
      details: 'It is still being revoked',
    });
  });

  it.each<[string, (id: string) => Record<string, string>, number, string]>([
    ['nothing to find it by', () => ({}), 431, 'Please specify the hypervisor and the certificate name'],
    ['a name without hypervisor', () => ({ name: 'images' }), 431, 'Please specify the hypervisor'],
    ['another hypervisor', () => ({ name: 'images', hypervisor: 'XenServer' }), 431, 'supporting KVM hosts only'],
    [
      'an unknown name',
      () => ({ name: 'x', hypervisor: KVM }),
      530,
      'Failed revoking certificate: Certificate alias x',
    ],
    ['an unknown id', () => ({ id: hostIds[0]! }), 530, 'Failed revoking certificate: Certificate'],
    ['an unknown host', (id) => ({ id, hostid: id }), 431, 'Invalid parameter hostid'],
  ])('refuses %s', async (_, parameters, errorcode, text) => {
    const { id } = await upload();
    await expect(revoke(parameters(id))).rejects.toMatchObject({
      errorcode,
      errortext: expect.stringContaining(text) as string,
    });
    expect(await statuses(id)).toEqual(['UPLOADED', 'UPLOADED']);
  });

  it('refuses another zone, a host of another zone and one that was never to have it', async () => {
    const { id } = await upload();
    const { db, databaseUrl, seeded } = gateway;
    const elsewhere = await addZone(db);
    const join = (name: string, clusterId: string) =>
      joinHost(databaseUrl, { name, clusterId, publicKey: 'key', pools: [] });
    const { hostId } = await join('late', seeded.clusterId);
    const { hostId: otherId } = await join('other', elsewhere.clusterId);
    const refused = (text: string) => ({ errorcode: 530, errortext: `Failed revoking certificate: ${text}` });
    await expect(revoke({ id, zoneid: elsewhere.zoneId })).rejects.toMatchObject(
      refused('Certificate images is of another zone'),
    );
    await expect(revoke({ id, hostid: hostId })).rejects.toMatchObject(
      refused('Certificate images cannot be revoked from host late as it is not available on the host'),
    );
    await expect(revoke({ id, hostid: otherId })).rejects.toMatchObject(
      refused('Host other is not in the zone of the certificate'),
    );
    await expect(call('provision', { id, hostid: otherId })).rejects.toMatchObject({ errorcode: 530 });
    await db.delete(host).where(inArray(host.id, [hostId, otherId]));
  });
});

it.each([
  [31, 'VALID'],
  [29, 'EXPIRES_IN_30_DAYS'],
  [6, 'EXPIRES_IN_7_DAYS'],
  [0.5, 'EXPIRES_IN_1_DAYS'],
  [-1, 'EXPIRED'],
])('lists one that ends in %d days as %s', async (days, expirystatus) => {
  const { id } = await upload();
  const [notBefore, notAfter] = [0, Date.now() + days * 86_400_000].map((ms) => new Date(ms).toISOString());
  const { db } = gateway;
  await db.update(directDownloadCertificate).set({ notBefore, notAfter }).where(eq(directDownloadCertificate.id, id));
  expect(await call('list', { id })).toMatchObject({ directdownloadcertificate: [{ id, expirystatus }] });
});

it('lists nothing as CloudStack does, and provisions nothing that is not there', async () => {
  expect(await call('list', { id: hostIds[0]! })).toEqual({});
  await expect(call('provision', { id: hostIds[0]!, hostid: hostIds[0]! })).rejects.toMatchObject({ errorcode: 431 });
});

it('allows nothing to be wanted that hosts would have confirmed already', async () => {
  const { id } = await upload();
  const change = (set: Partial<typeof directDownloadCertificateHostMap.$inferInsert>) =>
    gateway.db
      .update(directDownloadCertificateHostMap)
      .set(set)
      .where(eq(directDownloadCertificateHostMap.certificateId, id));
  await expect(change({ revoked: true })).rejects.toThrow('Failed query');
  await expect(change({ generation: 0 })).rejects.toThrow('Failed query');
});

it.each(['upload', 'revoke', 'list', 'provision'])('%s is for root admins only', async (command) => {
  const { client } = await gateway.addUser(`somebody-${command}`, 'DomainAdmin');
  const name = `${command}TemplateDirectDownloadCertificate${command === 'list' ? 's' : ''}`;
  await expect(client.call(name, {})).rejects.toMatchObject({ errorcode: 432 });
});
