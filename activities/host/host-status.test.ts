import type { HostFacts, HostStatus } from '../../shared/hosts.js';
import { hasChanged } from './host-status.js';

const facts: HostFacts = {
  bootId: 'boot-1',
  arch: 'x86_64',
  cpus: 2,
  cpuSpeedMhz: 2000,
  memoryBytes: 1024,
  domainType: 'kvm',
  hypervisorVersion: 'QEMU 7.2.0',
  pools: [{ poolId: 'pool', type: 'Filesystem', path: '/pool', capacityBytes: 1000, usedBytes: 100 }],
};
const known: HostStatus = { facts, domains: [{ vmId: 'vm', state: 'Running', token: 2 }] };

const withPool = (pool: Partial<HostFacts['pools'][number]>): HostStatus => ({
  ...known,
  facts: { ...facts, pools: [{ ...facts.pools[0]!, ...pool }] },
});

describe('hasChanged', () => {
  it.each<[string, HostStatus, boolean]>([
    ['nothing', known, false],
    ['a pool that filled by less than a hundredth', withPool({ usedBytes: 110 }), false],
    ['a pool that filled by more', withPool({ usedBytes: 111 }), true],
    ['a pool that grew', withPool({ capacityBytes: 2000 }), true],
    ['a pool that turned read-only', withPool({ problem: 'read-only' }), true],
    ['a domain that ended', { facts, domains: [{ vmId: 'vm', state: 'Stopped', token: 2 }] }, true],
    ['a new domain', { facts, domains: [...known.domains, { vmId: 'vm-2', state: 'Running', token: 2 }] }, true],
    ['other facts', { ...known, facts: { ...facts, memoryBytes: 2048 } }, true],
  ])('%s', (_, now, expected) => {
    expect(hasChanged(known, now)).toBe(expected);
  });
});
