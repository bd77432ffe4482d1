import type { HostFacts, HostStatus } from '../../shared/hosts.js';
import { hasChanged, hasOnlyStarted } from './host-status.js';

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
    [
      'other certificates to trust',
      { ...known, facts: { ...facts, keystore: { generation: 3, digest: 'of its files' } } },
      true,
    ],
    ['other facts', { ...known, facts: { ...facts, memoryBytes: 2048 } }, true],
  ])('%s', (_, now, expected) => {
    expect(hasChanged(known, now)).toBe(expected);
  });
});

describe('hasOnlyStarted', () => {
  const running = (vmId: string, token = 2) => ({ vmId, state: 'Running' as const, token });
  it.each<[string, HostStatus, boolean]>([
    ['a new domain', { facts, domains: [running('vm'), running('vm-2')] }, true],
    ['a domain that was started anew', { facts, domains: [running('vm', 4)] }, true],
    ['a new domain that is paused', { facts, domains: [running('vm'), { ...running('vm-2'), state: 'Paused' }] }, true],
    [
      'a new domain that has ended already',
      { facts, domains: [running('vm'), { ...running('vm-2'), state: 'Stopped' }] },
      false,
    ],
    ['a new domain beside one that ended', { facts, domains: [running('vm-2')] }, false],
    [
      'a new domain beside one that was paused',
      { facts, domains: [{ ...running('vm'), state: 'Paused' }, running('vm-2')] },
      false,
    ],
    [
      'a new domain and other facts',
      { facts: { ...facts, memoryBytes: 2048 }, domains: [running('vm'), running('vm-2')] },
      false,
    ],
  ])('%s', (_, now, expected) => {
    expect(hasOnlyStarted(known, now)).toBe(expected);
  });
});
