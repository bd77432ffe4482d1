import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eq } from 'drizzle-orm';
import type { HostDependencies } from '../../activities/host/dependencies.js';
import { downloadTier } from '../../activities/host/download-tier.js';
import { probeUrl, readSources } from '../../activities/host/sources.js';
import type { CloudStackClient } from '../../cli/cloudstack-client.js';
import { vmTemplateDetails } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { Bandwidth } from '../../kvm/download/bandwidth.js';
import { metalinkDocument, type OriginServer, startOriginServer } from '../../demo/origin-server.js';
import { COMMANDS } from '../../gateway/commands/index.js';
import { createHostKeys } from '../../kvm/keystore/host-keys.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { trusting } from '../support/certificate-authority.js';
import { type ControlPlane, startControlPlane } from '../support/control-plane.js';
import { FakeHost } from '../support/fake-host.js';
import { makePool } from '../support/test-pool.js';
import { serveControlPlane } from '../support/serve-control-plane.js';
import type { ServedGateway } from '../support/serve-gateway.js';
import { databaseTexts, historyTexts } from '../support/written-texts.js';

const CONTENT = randomBytes(4096);
const randomText = () => randomBytes(24).toString('hex');

/** The gateway, Temporal, the control worker, and what a host does with sources are real; libvirt is not. */
describe('the secrets of a template', () => {
  const headerSecret = randomText();
  const passwordSecret = randomText();
  const querySecret = randomText();
  const token = `Bearer ${headerSecret}`;
  const logged: string[] = [];
  const answers: string[] = [];
  let directory: string;
  let origin: OriginServer;
  let mirror: OriginServer;
  let plane: ControlPlane;
  let gateway: ServedGateway;
  let admin: CloudStackClient;
  let fake: FakeHost;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-secrets-'));
    origin = await startOriginServer();
    mirror = await startOriginServer();
    serveImage();
    plane = await startControlPlane({ onLog: (entry) => logged.push(entry) });
    await writeSettings(plane.db, { 'secstorage.allowed.internal.sites': '127.0.0.0/8' });
    gateway = await serveControlPlane(plane, (entry) => logged.push(entry));
    ({ admin } = gateway);
    fake = await FakeHost.join(plane, 'host-1');
    const host = {
      keys: createHostKeys([fake.keyPair]),
      pools: new Map([[fake.poolId, await makePool(directory, fake.poolId)]]),
      bandwidth: new Bandwidth(),
      certificates: { trust: trusting() } as HostDependencies['certificates'],
    } as Partial<HostDependencies> as HostDependencies;
    fake.override('probeUrl', probeUrl(host));
    fake.override('readSources', readSources(host));
    fake.override('downloadTier', downloadTier(host));
    await fake.isStatus('Up');
  });

  afterAll(async () => {
    await fake.retire();
    await gateway.close();
    await plane.stop();
    await origin.stop();
    await mirror.stop();
    await rm(directory, { recursive: true });
  });

  /** A metalink at the origin, a mirror elsewhere that has nothing, and the image at the origin. */
  function serveImage(): void {
    const mirrors = [
      { url: `${mirror.url}/disk?token=${querySecret}`, priority: 1 },
      { url: `${origin.url}/disk?token=${querySecret}`, priority: 2 },
    ];
    const sha256 = createHash('sha256').update(CONTENT).digest('hex');
    const content = metalinkDocument({ name: 'disk.raw', sizeBytes: CONTENT.length, sha256, mirrors });
    origin.serve('/disk.meta4', { content, contentType: 'application/metalink4+xml' });
    origin.serve('/disk', { content: CONTENT });
  }

  /** What the API answers, or its error; kept in `answers`. */
  async function answerOf(call: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const answer = await call().catch((error: Error) => ({ error: error.message }));
    answers.push(JSON.stringify(answer));
    return answer;
  }

  async function register(): Promise<Record<string, unknown>> {
    const { ostype } = await admin.call('listOsTypes', { description: 'debian gnu/linux 12' });
    return answerOf(() =>
      admin.call('registerTemplate', {
        name: 'disk',
        url: `${origin.url.replace('//', `//user:${passwordSecret}@`)}/disk.meta4?token=${querySecret}`,
        format: 'RAW',
        hypervisor: 'KVM',
        directdownload: true,
        ostypeid: (ostype as { id: string }[])[0]!.id,
        zoneid: plane.seeded.zoneId,
        'details[0].HTTP_HEADER:Authorization': token,
        'details[1].HTTP_HEADER': `X-Token: ${headerSecret}`,
      }),
    );
  }
  const templateId = ({ template }: Record<string, unknown>) => (template as { id: string }[])[0]!.id;

  async function deploy(id: string): Promise<Record<string, unknown>> {
    const { serviceoffering } = await admin.call('listServiceOfferings');
    const { jobid } = await admin.call('deployVirtualMachine', {
      zoneid: plane.seeded.zoneId,
      serviceofferingid: (serviceoffering as { id: string }[])[0]!.id,
      templateid: id,
    });
    const ended = await answerOf(() => admin.waitForJob(jobid as string, { timeoutMs: 60_000 }));
    await answerOf(() => admin.call('queryAsyncJobResult', { jobid: jobid as string }));
    return ended;
  }

  const comeTo = (server: OriginServer, file: string) => server.statistics(file).authorizations;

  it('reach the origin with the probe, the metalink and the download, and no mirror elsewhere', async () => {
    const id = templateId(await register());
    const [probes, probedDisk] = [comeTo(origin, '/disk.meta4').length, comeTo(origin, '/disk').length];
    expect([probes, probedDisk]).toEqual([1, 1]);
    expect(await deploy(id)).toHaveProperty('virtualmachine');
    expect(comeTo(origin, '/disk.meta4').length).toBeGreaterThan(probes);
    expect(comeTo(origin, '/disk').length).toBeGreaterThan(probedDisk);
    expect(new Set([...comeTo(origin, '/disk.meta4'), ...comeTo(origin, '/disk')])).toEqual(new Set([token]));
    expect(mirror.statistics('/disk').requests).toBeGreaterThan(1);
    expect(comeTo(mirror, '/disk')).toEqual([]);
    const rows = await plane.db.select().from(vmTemplateDetails).where(eq(vmTemplateDetails.templateId, id));
    expect(rows.map(({ value }) => plane.secretBox.decrypt(value)).sort()).toEqual([
      `Authorization:${token}`,
      `X-Token:${headerSecret}`,
    ]);
  });

  it('are in no history, row, answer, error text and log, whether a host succeeds or fails', async () => {
    const id = templateId(await register());
    origin.serve('/disk', { content: '', status: { code: 403 } });
    const unread = await register();
    expect(unread).toEqual({ error: expect.stringContaining('the server answered 403') });
    const undeployed = await deploy(id);
    expect(undeployed).toEqual({ error: expect.stringContaining('the server answered 403') });
    const keys = createHostKeys([await generateKeyPair()]);
    const stranger = { keys, certificates: { trust: trusting() } } as HostDependencies;
    fake.override('probeUrl', probeUrl(stranger));
    expect(await register()).toEqual({ error: expect.stringContaining('cannot be opened with the key of this host') });
    for (const { name } of COMMANDS.filter((command) => command.name.startsWith('list'))) {
      await answerOf(() => admin.call(name, { templatefilter: 'all' }));
    }

    const written = {
      histories: await historyTexts(plane.client),
      database: await databaseTexts(plane.db),
      answers: answers.join('\n'),
      logs: logged.join('\n'),
    };
    // Each has what is no secret of the same template, and so would have the rest.
    const readable = `${origin.url}/disk.meta4`;
    expect(written.histories).toContain(`probe ${readable} from host-1`);
    expect(written.histories).toContain('downloadTier');
    expect(written.histories).toContain('**disk** is on pool');
    expect(written.database).toContain(readable);
    expect(written.answers).toContain(readable);
    expect(written.logs).toContain('"command":"registerTemplate"');
    expect(written.logs).toContain('Activity failed');
    for (const [where, text] of Object.entries(written)) {
      for (const [what, secret] of Object.entries({ headerSecret, passwordSecret, querySecret })) {
        expect({ where, what, isFound: text.includes(secret) }).toEqual({ where, what, isFound: false });
      }
      expect({ where, hasName: /X-Token/i.test(text) }).toEqual({ where, hasName: false });
    }
  });
});
