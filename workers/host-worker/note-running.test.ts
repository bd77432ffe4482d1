import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostDependencies } from '../../activities/host/dependencies.js';
import { StartedDomains } from '../../kvm/fence/started-domains.js';
import type { DomainReport } from '../../shared/hosts.js';
import { noteRunning } from './note-running.js';

it('notes VMs whose start was not noted, with the token that they run with, and none that has ended', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-started-'));
  try {
    const [unnoted, older, ended, noted] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const before = new StartedDomains(directory);
    await before.add(older, 2);
    await before.add(noted, 8);
    const domains: DomainReport[] = [
      { vmId: unnoted, token: 4, state: 'Running' },
      { vmId: older, token: 6, state: 'Paused' },
      { vmId: ended, token: 2, state: 'Crashed' },
      { vmId: noted, token: 8, state: 'Running' },
    ];
    const libvirt = { listDomains: () => Promise.resolve(domains) } as HostDependencies['libvirt'];
    await noteRunning({ libvirt, started: new StartedDomains(directory) });
    expect(await new StartedDomains(directory).list()).toEqual(
      new Map([
        [unnoted, 4],
        [older, 6],
        [noted, 8],
      ]),
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
