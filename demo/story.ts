import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloudStackClient, createCloudStackClient } from '../cli/cloudstack-client.js';
import type { Installation, RunningHost } from '../embedded/installation.js';
import { pickFreePorts } from '../embedded/ports.js';
import { POOL_MARKER } from '../kvm/storage/pool-marker.js';
import { vmWorkflowId } from '../shared/workflow-ids.js';
import { buildBootDisk } from './boot-disk.js';
import { metalinkDocument, type OriginServer } from './origin-server.js';

export interface StoryDependencies {
  installation: Installation;
  origin: OriginServer;
  /** For the disk image. */
  directory: string;
  say: (line: string) => void;
  /** Whether the VMs stay. */
  isKept: boolean;
}

const MiB = 1024 ** 2;
const DISK_BYTES = 192 * MiB;
/** Slow enough to see, and to kill a host worker on the way. */
const GOOD_MIRROR_BYTES_PER_SECOND = 24 * MiB;
const JOB_TIMEOUT_MS = 180_000;

/** Tells the main job in a dozen lines, each after it was found to be true. */
export async function tellStory({ installation, origin, directory, say, isKept }: StoryDependencies): Promise<void> {
  const client = createCloudStackClient(installation.credentials);
  const hosts = await hostsAreUp(client, installation);
  const [{ hypervisorversion = '', domaintype = '' } = {}] = hosts;
  say(
    `${hosts.length} hosts are Up (${hypervisorversion}, ${domaintype === 'kvm' ? 'with KVM' : 'emulated: KVM cannot be used here'})`,
  );

  const disk = await serveDisk(origin, directory);
  say(`built a bootable disk of ${toMiB(disk.sizeBytes)} MiB that will write ${disk.nonce} to its serial port`);
  say('a metalink lists three mirrors: the first refuses, the second breaks off half way, the third is good');

  const template = await register(client, disk.metalinkUrl);
  say(`registered template ${template.id}: ${template.status}, ready ${template.isready}, by signed API requests`);
  const probed = origin.statistics('/good').bytes;

  const first = await deploy(client, template.id);
  say(`deploying ${first.id}; follow it at ${workflowUrl(installation, first.id)}`);
  const ended = client.waitForJob(first.jobid, { timeoutMs: JOB_TIMEOUT_MS });
  const killing = killDuringDownload({ client, installation, say, templateId: template.id, sizeBytes: disk.sizeBytes });
  // A deployment that fails before has no download to wait for.
  const host = await Promise.race([killing, ended.then(() => killing)]);
  await ended;
  const served = origin.statistics('/good').bytes - probed;
  check(served < disk.sizeBytes, `the third mirror served ${served} bytes, not less than the file`);
  await fileIsExact(host, template.id, disk.sha256);
  say(
    `Running: the third mirror served ${toMiB(served)} of ${toMiB(disk.sizeBytes)} MiB, the rest was resumed; SHA-256 is right`,
  );
  say(`console: ${await consoleLine(host, first.id, disk.nonce)}`);

  const requests = origin.statistics('/good').requests;
  const second = await deploy(client, template.id);
  await client.waitForJob(second.jobid, { timeoutMs: JOB_TIMEOUT_MS });
  await consoleLine(await hostOf(client, installation, second.id), second.id, disk.nonce);
  check(origin.statistics('/good').requests === requests, 'the second VM made the origin serve the file again');
  say(`a second VM runs from the same copy: nothing was downloaded`);
  if (isKept) return;

  for (const { id } of [first, second]) {
    const { jobid } = await client.call('destroyVirtualMachine', { id, expunge: true });
    await client.waitForJob(jobid as string, { timeoutMs: JOB_TIMEOUT_MS });
  }
  await onlyTheTemplateIsLeft(installation);
  say('both are destroyed and expunged; the pools hold the template and nothing else');
}

interface HostRow {
  id: string;
  name: string;
  state: string;
  hypervisorversion?: string;
  domaintype?: string;
}

const HOSTS_UP_TIMEOUT_MS = 90_000;

async function hostsAreUp(client: CloudStackClient, { hosts }: Installation): Promise<HostRow[]> {
  const deadlineMs = Date.now() + HOSTS_UP_TIMEOUT_MS;
  for (;;) {
    const { host = [] } = (await client.call('listHosts')) as { host?: HostRow[] };
    const late = host.filter(({ state }) => state !== 'Up');
    if (host.length === hosts.length && late.length === 0) return host;
    const states = late.map(({ name, state }) => `${name} is ${state}`).join(', ');
    check(Date.now() < deadlineMs, `${states}; does libvirt answer? The log is ${hosts[0]?.worker.logPath}`);
    await sleep(200);
  }
}

async function serveDisk(origin: OriginServer, directory: string) {
  const nonce = randomUUID();
  const file = path.join(directory, 'demo.qcow2');
  await buildBootDisk(file, { nonce, sizeBytes: DISK_BYTES, format: 'QCOW2' });
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const [closedPort] = await pickFreePorts(1);
  origin.serve('/breaks-off', {
    content: { file },
    bytesPerSecond: 2 * GOOD_MIRROR_BYTES_PER_SECOND,
    dropAfterBytes: { bytes: Math.floor(bytes.length / 2) },
    // It answers the probe and half of a download, and is then out of service.
    status: { code: 503, skip: 2 },
  });
  origin.serve('/good', { content: { file }, bytesPerSecond: GOOD_MIRROR_BYTES_PER_SECOND });
  origin.serve('/demo.metalink', {
    contentType: 'application/metalink4+xml',
    content: metalinkDocument({
      name: 'demo.qcow2',
      sizeBytes: bytes.length,
      sha256,
      mirrors: [`http://127.0.0.1:${closedPort}/demo.qcow2`, `${origin.url}/breaks-off`, `${origin.url}/good`].map(
        (url, index) => ({ url, priority: (index + 1) * 10 }),
      ),
    }),
  });
  return { nonce, sha256, sizeBytes: bytes.length, metalinkUrl: `${origin.url}/demo.metalink` };
}

async function register(client: CloudStackClient, url: string) {
  const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
  const { ostype } = (await client.call('listOsTypes')) as { ostype: { id: string }[] };
  const { template } = (await client.call('registerTemplate', {
    name: 'demo',
    displaytext: 'Slipway demo',
    url,
    format: 'QCOW2',
    hypervisor: 'KVM',
    zoneid: zone[0]!.id,
    ostypeid: ostype[0]!.id,
    directdownload: true,
  })) as { template: { id: string; status: string; isready: boolean }[] };
  return template[0]!;
}

async function deploy(client: CloudStackClient, templateid: string): Promise<{ id: string; jobid: string }> {
  const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
  const { serviceoffering } = (await client.call('listServiceOfferings', { name: 'Small Instance' })) as {
    serviceoffering: { id: string }[];
  };
  const begun = await client.call('deployVirtualMachine', {
    zoneid: zone[0]!.id,
    serviceofferingid: serviceoffering[0]!.id,
    templateid,
  });
  return begun as { id: string; jobid: string };
}

interface KillDuringDownload {
  client: CloudStackClient;
  installation: Installation;
  say: (line: string) => void;
  templateId: string;
  sizeBytes: number;
}

/** Shows the download's progress, and kills the host worker once when two thirds have arrived. */
async function killDuringDownload({
  client,
  installation,
  say,
  templateId,
  sizeBytes,
}: KillDuringDownload): Promise<RunningHost> {
  const marks = [0.25, 0.5, 0.66];
  for (;;) {
    const { template } = (await client.call('listTemplates', { templatefilter: 'self', id: templateId })) as {
      template: { downloaddetails?: Record<string, string>[] }[];
    };
    const copy = template[0]?.downloaddetails?.find(({ datastoreRole }) => datastoreRole === 'Primary');
    const bytes = Number(copy?.['downloadedbytes'] ?? 0);
    if (copy && bytes / sizeBytes >= (marks[0] ?? 1)) {
      while (marks.length > 0 && bytes / sizeBytes >= marks[0]!) marks.shift();
      const speed = toMiB(Number(copy['bytespersecond'] ?? 0));
      say(
        `downloading: ${Math.floor((bytes / sizeBytes) * 100)} %, ${speed} MiB/s, from ${copy['source'] ?? 'a mirror'}`,
      );
    }
    if (copy && marks.length === 0) {
      const host = installation.hosts.find(({ poolId }) => poolId === copy['datastoreId'])!;
      host.worker.kill('SIGKILL');
      say(`killed the worker of ${host.name} (SIGKILL); it is started again and resumes`);
      return host;
    }
    await sleep(200);
  }
}

async function hostOf(client: CloudStackClient, { hosts }: Installation, vmId: string): Promise<RunningHost> {
  const { virtualmachine } = (await client.call('listVirtualMachines', { id: vmId })) as {
    virtualmachine: { state: string; hostid: string }[];
  };
  check(virtualmachine[0]?.state === 'Running', `VM ${vmId} is ${virtualmachine[0]?.state}`);
  return hosts.find(({ id }) => id === virtualmachine[0]!.hostid)!;
}

async function fileIsExact({ poolPath }: RunningHost, templateId: string, sha256: string): Promise<void> {
  const name = (await readdir(poolPath)).find((file) => file.startsWith(templateId));
  const actual = createHash('sha256')
    .update(await readFile(path.join(poolPath, name!)))
    .digest('hex');
  check(actual === sha256, `the file on the pool has SHA-256 ${actual}`);
}

const CONSOLE_TIMEOUT_MS = 60_000;

async function consoleLine({ consoleDirectory }: RunningHost, vmId: string, nonce: string): Promise<string> {
  const deadlineMs = Date.now() + CONSOLE_TIMEOUT_MS;
  for (;;) {
    const log = await readFile(path.join(consoleDirectory, `${vmId}.log`), 'utf8').catch(() => '');
    const line = log.split(/\r?\n/).find((text) => text.includes(nonce));
    if (line) return line.trim();
    check(Date.now() < deadlineMs, `VM ${vmId} has not written ${nonce} to its console`);
    await sleep(200);
  }
}

async function onlyTheTemplateIsLeft({ hosts }: Installation): Promise<void> {
  for (const { poolPath, name } of hosts) {
    const files = (await readdir(poolPath)).filter((file) => !/\.g1\.e\d+$/.test(file) && file !== POOL_MARKER);
    check(files.length === 0, `${name} has left ${files.join(', ')} on its pool`);
  }
}

const workflowUrl = ({ temporalUiUrl }: Installation, vmId: string): string =>
  `${temporalUiUrl ?? ''}/namespaces/default/workflows/${vmWorkflowId(vmId)}`;

const toMiB = (bytes: number): number => Math.round(bytes / MiB);

function check(isTrue: boolean, otherwise: string): asserts isTrue {
  if (!isTrue) throw new Error(otherwise);
}
