import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LibvirtDriver } from '../../kvm/hypervisor/libvirt-driver.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { openSealedJson } from '../../kvm/keystore/sealed-json.js';
import { readConsole } from './guest-console.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-console-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('should answer what a guest wrote to whoever has the key, and to nobody else', async () => {
  const vmId = randomUUID();
  await writeFile(join(directory, `${vmId}.log`), Buffer.from('login as root, password hush\u00e9\n', 'latin1'));
  const libvirt = new LibvirtDriver({
    uri: 'qemu:///system',
    installationId: 'test',
    hostId: randomUUID(),
    consoleDirectory: directory,
    poolPath: () => directory,
  });
  const asker = await generateKeyPair();
  const answer = await readConsole({ libvirt })({ vmId, lengthBytes: 5, replyKey: asker.publicKey });
  expect(await openSealedJson(answer.sealed, asker)).toEqual({
    base64: Buffer.from('ush\u00e9\n', 'latin1').toString('base64'),
  });
  await expect(openSealedJson(answer.sealed, await generateKeyPair())).rejects.toMatchObject({
    code: 'SLIPWAY_INTERNAL',
  });
});
