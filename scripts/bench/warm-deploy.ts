import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createCloudStackClient } from '../../cli/cloudstack-client.js';
import { buildBootDisk } from '../../demo/boot-disk.js';
import { startOriginServer } from '../../demo/origin-server.js';
import { startInstallation } from '../../embedded/installation.js';
import { pickInstallationPorts } from '../../embedded/installation-ports.js';
import { createTemporaryStateDirectory } from '../../embedded/state-directory.js';
import { run } from './contest.js';
import { until } from './herd/until.js';
import { needPrograms } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { BUILT_DIRECTORY } from './slipway.js';
import { twinOf } from './warm-deploy/twin-of.js';
import { watchStarts } from './warm-deploy/watch-starts.js';

const DISK_BYTES = 16 * 1024 ** 2;
const JOB_TIMEOUT_MS = 120_000;

/**
 * From the API call to the running domain, when the template is on the pool, beside `qemu-img create` and
 * `virsh create` by hand. Both are taken for done when libvirt says that the domain has started. The domains are the
 * same but for their names and files, on the same pool, and take turns.
 */
export async function benchWarmDeploy({ isQuick, rounds = isQuick ? 5 : 20 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('qemu-img', 'virsh');
  const state = await createTemporaryStateDirectory();
  const installation = await startInstallation({
    state,
    programs: BUILT_DIRECTORY,
    env: process.env,
    ports: await pickInstallationPorts(1),
    hosts: 1,
    controlWorkers: 1,
    settings: { 'secstorage.allowed.internal.sites': '127.0.0.0/8' },
    isRestarted: false,
  });
  const origin = await startOriginServer();
  const [host] = installation.hosts as [(typeof installation.hosts)[number]];
  const starts = await watchStarts(host.libvirtUri);
  const virsh = async (...args: string[]): Promise<string> =>
    (await run('virsh', ['--quiet', '--connect', host.libvirtUri, ...args])).stdout;
  const { endpoint, apiKey, secretKey } = installation.credentials;
  const api = createCloudStackClient({ endpoint, apiKey, secretKey });
  const list = async (command: string, key: string): Promise<{ id: string; state?: string }[]> =>
    ((await api.call(command))[key] ?? []) as { id: string; state?: string }[];
  try {
    await until('the host is Up', async () => (await list('listHosts', 'host'))[0]?.state === 'Up');
    const image = join(state.path, 'image.qcow2');
    await buildBootDisk(image, { nonce: 'warm-deploy', sizeBytes: DISK_BYTES, format: 'QCOW2' });
    origin.serve('/image.qcow2', { content: { file: image } });
    const [zone, os, offering] = await Promise.all([
      list('listZones', 'zone'),
      list('listOsTypes', 'ostype'),
      list('listServiceOfferings', 'serviceoffering'),
    ]);
    const { template } = (await api.call('registerTemplate', {
      name: 'warm',
      displaytext: 'warm',
      format: 'QCOW2',
      hypervisor: 'KVM',
      url: `${origin.url}/image.qcow2`,
      zoneid: zone[0]!.id,
      ostypeid: os[0]!.id,
      directdownload: true,
    })) as { template: { id: string }[] };
    const deploy = async (): Promise<{ id: string; jobid: string }> =>
      (await api.call('deployVirtualMachine', {
        zoneid: zone[0]!.id,
        serviceofferingid: offering[0]!.id,
        templateid: template[0]!.id,
      })) as { id: string; jobid: string };
    const destroy = async (id: string): Promise<void> => {
      const { jobid } = (await api.call('destroyVirtualMachine', { id, expunge: true })) as { jobid: string };
      await api.waitForJob(jobid, { timeoutMs: JOB_TIMEOUT_MS });
    };

    const slipwayMs: number[] = [];
    const byHandMs: number[] = [];
    // The first has the download to wait for.
    for (let round = -1; round < rounds; round++) {
      const calledMs = performance.now();
      const { id, jobid } = await deploy();
      const ourMs = (await starts.of(`i-${id}`)) - calledMs;
      await api.waitForJob(jobid, { timeoutMs: JOB_TIMEOUT_MS });
      const twinId = randomUUID();
      const twin = twinOf(await virsh('dumpxml', '--inactive', id), { id: twinId, directory: host.poolPath });
      await destroy(id);

      const xmlPath = join(state.path, 'by-hand.xml');
      await writeFile(xmlPath, twin.xml);
      const begunMs = performance.now();
      const overlay = ['-q', '-f', 'qcow2', '-b', twin.backingPath, '-F', 'qcow2', twin.diskPath];
      await run('qemu-img', ['create', ...overlay]);
      await run('virsh', ['--quiet', '--connect', host.libvirtUri, 'create', xmlPath]);
      const handMs = (await starts.of(`by-hand-${twinId}`)) - begunMs;
      await virsh('destroy', twinId);
      await rm(twin.diskPath);
      if (round < 0) continue;
      slipwayMs.push(ourMs);
      byHandMs.push(handMs);
    }
    const ours = median(slipwayMs);
    const byHand = median(byHandMs);
    const show = (name: string, values: number[]): string =>
      `${name.padEnd(34)}${median(values).toFixed(0).padStart(6)} ms   ${values.map((ms) => ms.toFixed(0)).join(' ')}`;
    return {
      ratio: ours / byHand,
      lines: [
        `to a running domain, the template being on the pool; median of ${rounds}`,
        show('qemu-img create, virsh create', byHandMs),
        show('slipway, from the API call', slipwayMs),
        `difference ${(ours - byHand).toFixed(0)} ms`,
      ],
      figures: { slipwayMs: ours, byHandMs: byHand, differenceMs: ours - byHand },
    };
  } finally {
    starts.stop();
    await origin.stop();
    await installation.destroy();
  }
}
