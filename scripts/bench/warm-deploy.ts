import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { TestInstallation } from '../../tests/support/test-installation.js';
import { run } from './contest.js';
import { needPrograms } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { BUILT_DIRECTORY } from './slipway.js';
import { twinOf } from './warm-deploy/twin-of.js';
import { type Starts, watchStarts } from './warm-deploy/watch-starts.js';

const DISK_BYTES = 16 * 1024 ** 2;

/** Milliseconds of each round. */
interface Times {
  slipwayMs: number[];
  byHandMs: number[];
}

/**
 * From the API call to the running domain, when the template is on the pool, beside `qemu-img create` and
 * `virsh create` by hand. Both are taken for done when libvirt says that the domain has started. The domains are the
 * same but for their names and files, on the same pool, and take turns.
 */
export async function benchWarmDeploy({ isQuick, rounds = isQuick ? 5 : 20 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('qemu-img', 'virsh');
  const plane = await TestInstallation.start({ programs: BUILT_DIRECTORY, hosts: 1 });
  try {
    const starts = await watchStarts(plane.installation.hosts[0]!.libvirtUri);
    try {
      return resultOf(await contest(plane, starts, rounds), rounds);
    } finally {
      starts.stop();
    }
  } finally {
    await plane.stop();
  }
}

async function contest(plane: TestInstallation, starts: Starts, rounds: number): Promise<Times> {
  const { client } = plane;
  const disk = await plane.disk(DISK_BYTES);
  const templateid = await plane.register(`${plane.origin.url}${disk.path}`);
  const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
  const { serviceoffering } = (await client.call('listServiceOfferings')) as { serviceoffering: { id: string }[] };
  const wanted = { zoneid: zone[0]!.id, serviceofferingid: serviceoffering[0]!.id, templateid };

  const times: Times = { slipwayMs: [], byHandMs: [] };
  // The first has the download to wait for.
  for (let round = -1; round < rounds; round++) {
    const calledMs = performance.now();
    const { id, jobid } = (await client.call('deployVirtualMachine', wanted)) as { id: string; jobid: string };
    const slipwayMs = (await starts.of(`i-${id}`)) - calledMs;
    await plane.ended(jobid);
    const byHandMs = await startTwin(plane, starts, id);
    if (round < 0) continue;
    times.slipwayMs.push(slipwayMs);
    times.byHandMs.push(byHandMs);
  }
  return times;
}

/** Puts a VM of the same kind in the place of one of Slipway's, by hand. @returns milliseconds until it had started */
async function startTwin(plane: TestInstallation, starts: Starts, vmId: string): Promise<number> {
  const [host] = plane.installation.hosts as [(typeof plane.installation.hosts)[number]];
  const virsh = async (...args: string[]): Promise<string> =>
    (await run('virsh', ['--quiet', '--connect', host.libvirtUri, ...args])).stdout;
  const twinId = randomUUID();
  const twin = twinOf(await virsh('dumpxml', '--inactive', vmId), { id: twinId, directory: host.poolPath });
  await plane.expunge(vmId);

  const xmlPath = join(dirname(host.configPath), 'by-hand.xml');
  await writeFile(xmlPath, twin.xml);
  const begunMs = performance.now();
  const overlay = ['-q', '-f', 'qcow2', '-b', twin.backingPath, '-F', 'qcow2', twin.diskPath];
  await run('qemu-img', ['create', ...overlay]);
  await virsh('create', xmlPath);
  const startedMs = await starts.of(`by-hand-${twinId}`);
  await virsh('destroy', twinId);
  await rm(twin.diskPath);
  return startedMs - begunMs;
}

function resultOf({ slipwayMs, byHandMs }: Times, rounds: number): BenchResult {
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
}
