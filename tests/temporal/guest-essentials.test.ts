import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { CloudStackClient } from '../../cli/cloudstack-client.js';
import { storagePool } from '../../db/schema/index.js';
import { COMMANDS } from '../../gateway/commands/index.js';
import { openSealedJson } from '../../kvm/keystore/sealed-json.js';
import { NETWORK_OFFERINGS } from '../../shared/network-offerings.js';
import type { DomainSpec, GuestSecrets } from '../../shared/virtual-machines.js';
import { type ControlPlane, startControlPlane } from '../support/control-plane.js';
import { FakeHost } from '../support/fake-host.js';
import { refusal } from '../support/host-answers.js';
import { Scenario } from '../support/scenario.js';
import { serveControlPlane } from '../support/serve-control-plane.js';
import type { ServedGateway } from '../support/serve-gateway.js';
import { databaseTexts, historyTexts } from '../support/written-texts.js';

/** What a guest is given, from the API call to the host; the host is a fake, and all before it is real. */
describe('what a guest is given', () => {
  const userDataSecret = randomBytes(24).toString('hex');
  const userData = Buffer.from(`#cloud-config\npassword: ${userDataSecret}\n`).toString('base64');
  const logged: string[] = [];
  const answers: string[] = [];
  let plane: ControlPlane;
  let gateway: ServedGateway;
  let admin: CloudStackClient;
  let fake: FakeHost;
  let templateId: string;

  beforeAll(async () => {
    plane = await startControlPlane({ onLog: (entry) => logged.push(entry) });
    gateway = await serveControlPlane(plane, (entry) => logged.push(entry));
    ({ admin } = gateway);
    fake = await FakeHost.join(plane, 'host-1');
    templateId = await new Scenario(plane).template();
    await fake.isStatus('Up');
  });

  afterAll(async () => {
    await fake.retire();
    await gateway.close();
    await plane.stop();
  });

  /** What the API answers, kept in `answers`; for a job, what came of it. */
  async function ask(command: string, parameters: Record<string, string | number | boolean> = {}) {
    const answer = await admin.call(command, parameters);
    const { jobid } = answer as { jobid?: string };
    const result = jobid ? await admin.waitForJob(jobid, { timeoutMs: 60_000 }) : answer;
    answers.push(JSON.stringify(answer), JSON.stringify(result));
    return result;
  }

  async function deploy(parameters: Record<string, string>): Promise<string> {
    const { serviceoffering } = await ask('listServiceOfferings');
    const { virtualmachine } = await ask('deployVirtualMachine', {
      zoneid: plane.seeded.zoneId,
      serviceofferingid: (serviceoffering as { id: string }[])[0]!.id,
      templateid: templateId,
      ...parameters,
    });
    return (virtualmachine as { id: string }).id;
  }

  /** How the host was told to start the VM, first to last. */
  const specsOf = (vmId: string): DomainSpec[] =>
    fake.calls
      .filter(({ activity }) => activity === 'startDomain')
      .map(({ input }) => (input as { spec: DomainSpec }).spec)
      .filter((spec) => spec.vmId === vmId);

  const guestOf = ({ sealedGuest }: DomainSpec) => openSealedJson<GuestSecrets>(sealedGuest, fake.keyPair);

  it('reaches its host: interfaces to be read by all, user data, keys and password by the host alone', async () => {
    const l2 = NETWORK_OFFERINGS.find(({ specifyVlan }) => specifyVlan)!;
    const { network } = await ask('createNetwork', {
      zoneid: plane.seeded.zoneId,
      name: 'wire',
      networkofferingid: l2.id,
      vlan: 42,
    });
    const networkId = (network as { id: string }).id;
    const { network: found } = await ask('listNetworks', { type: 'User' });
    const user = (found as { id: string }[])[0]!;
    // Not by `ask`: this one answer is where the private key belongs.
    const { keypair } = await admin.call('createSSHKeyPair', { name: 'mine' });
    const { privatekey } = keypair as { privatekey: string };

    const id = await deploy({
      name: 'web-1',
      networkids: `${networkId},${user.id}`,
      macaddress: '52:54:00:00:00:42',
      userdata: userData,
      keypair: 'mine',
    });
    const [spec] = specsOf(id);
    expect(spec!.nics).toEqual([
      { macAddress: '52:54:00:00:00:42', type: 'L2', vlan: 42 },
      { macAddress: expect.stringMatching(/^1e(:[0-9a-f]{2}){5}$/), type: 'User', vlan: null },
    ]);
    const guest = await guestOf(spec!);
    expect(guest).toEqual({
      hostName: 'web-1',
      userData,
      sshPublicKeys: [expect.stringMatching(/^ssh-rsa [A-Za-z0-9+/=]+$/)],
      vncPassword: expect.stringMatching(/^[\w-]{8}$/),
    });

    const consoleSecret = randomBytes(24).toString('hex');
    fake.consoles.set(id, `debian login: ${consoleSecret}`);
    // Not by `ask`: these two answers are where the secrets belong.
    expect(await admin.call('getVirtualMachineConsoleLog', { id, length: 1 })).toEqual({
      consolelog: { id, output: `debian login: ${consoleSecret}` },
    });
    expect(await admin.call('createConsoleEndpoint', { virtualmachineid: id })).toMatchObject({
      consoleendpoint: { url: 'vnc://127.0.0.1:5900', host: 'host-1', password: guest.vncPassword },
    });
    fake.override('readConsole', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no console here')));
    await expect(ask('getVirtualMachineConsoleLog', { id })).rejects.toMatchObject({
      errorcode: 530,
      errortext: 'no console here',
    });

    // The password stays the same from start to start: whoever looks at the display need not ask again.
    await ask('stopVirtualMachine', { id, forced: true });
    await ask('startVirtualMachine', { id });
    expect(specsOf(id)).toHaveLength(2);
    expect(await guestOf(specsOf(id)[1]!)).toEqual(guest);

    // Other keys, for a guest that is to look at them once more, and less of the host.
    await ask('stopVirtualMachine', { id, forced: true });
    await admin.call('createSSHKeyPair', { name: 'other' });
    expect(await ask('resetSSHKeyForVirtualMachine', { id, keypair: 'other' })).toMatchObject({
      virtualmachine: { id, keypairs: 'other' },
    });
    const { serviceoffering } = await ask('listServiceOfferings', { name: 'Small Instance' });
    const [small] = serviceoffering as { id: string; memory: number }[];
    await ask('scaleVirtualMachine', { id, serviceofferingid: small!.id });
    await ask('startVirtualMachine', { id });
    const third = specsOf(id)[2]!;
    expect(third.memoryBytes).toBe(small!.memory * 1024 ** 2);
    expect(third.memoryBytes).toBeLessThan(spec!.memoryBytes);
    const anew = await guestOf(third);
    expect(anew).toEqual({ ...guest, instanceId: `${id}-1`, sshPublicKeys: [expect.any(String)] });
    expect(anew.sshPublicKeys).not.toEqual(guest.sshPublicKeys);

    await expect(ask('deleteNetwork', { id: networkId })).rejects.toMatchObject({ errorcode: 431 });
    await ask('destroyVirtualMachine', { id, expunge: true });
    expect(await ask('deleteNetwork', { id: networkId })).toEqual({ success: true });

    for (const { name, params } of COMMANDS.filter((command) => command.name.startsWith('list'))) {
      const required = Object.keys(params).filter((parameter) => params[parameter]!.isRequired);
      // Others are of one machine, and it is gone, or of storage alone.
      if (required.every((parameter) => parameter === 'templatefilter')) {
        await ask(name, { templatefilter: 'all', userdata: true });
      }
    }
    const written = {
      histories: await historyTexts(plane.client),
      database: await databaseTexts(plane.db),
      answers: answers.join('\n'),
      logs: logged.join('\n'),
    };
    // Each has what is no secret of the same VM, and so would have the rest.
    expect(written.histories).toContain('52:54:00:00:00:42');
    expect(written.histories).toContain('read the console log on host-1');
    expect(written.database).toContain('52:54:00:00:00:42');
    expect(written.answers).toContain('52:54:00:00:00:42');
    expect(written.logs).toContain('"command":"deployVirtualMachine"');
    const secrets = {
      userData,
      userDataSecret,
      consoleSecret,
      vncPassword: guest.vncPassword,
      privateKey: privatekey.split('\n')[3]!,
    };
    for (const [where, text] of Object.entries(written)) {
      for (const [what, secret] of Object.entries(secrets)) {
        expect({ where, what, isFound: text.includes(secret) }).toEqual({ where, what, isFound: false });
      }
    }
  });

  it('has a blank disk of the disk offering when it is installed from an ISO, on a pool with the tags of that', async () => {
    const isoId = await new Scenario(plane).template({ format: 'ISO' });
    const { diskoffering } = await ask('createDiskOffering', { name: 'fast', disksize: 6, tags: 'ssd' });
    const parameters = {
      templateid: isoId,
      diskofferingid: (diskoffering as { id: string }).id,
      hostid: fake.hostId,
    };
    await expect(deploy(parameters)).rejects.toMatchObject({ errortext: expect.stringMatching(/host-1: .*ssd/) });
    await plane.db
      .update(storagePool)
      .set({ tags: ['ssd'] })
      .where(eq(storagePool.id, fake.poolId));
    const id = await deploy(parameters);
    const disks = fake.calls.filter(({ activity }) => activity === 'createRootVolume').map(({ input }) => input);
    expect(disks.at(-1)).toMatchObject({ vmId: id, disk: { type: 'blank', sizeBytes: 6 * 1024 ** 3 } });
    expect(specsOf(id)).toMatchObject([{ bootsFromIso: true, iso: expect.stringContaining(isoId) }]);
    await ask('destroyVirtualMachine', { id, expunge: true });
  });
});
