import { defaultSettings } from '../shared/settings.js';
import { exceededLimit } from './exceeded-limit.js';
import type { OwnerUsage, Usage } from './reads/read-usage.js';

const NOTHING: Usage = { user_vm: 0, template: 0, cpu: 0, memory: 0, primary_storage: 0 };
const owner = (kind: OwnerUsage['kind'], used: Partial<Usage>, limits: OwnerUsage['limits'] = {}): OwnerUsage => ({
  kind,
  ownerId: kind,
  used: { ...NOTHING, ...used },
  limits,
  running: 0,
});

const SETTINGS = {
  ...defaultSettings(),
  'max.account.user.vms': '2',
  'max.account.cpus': '-1',
  'max.domain.cpus': '50',
};

it.each<[string, OwnerUsage[], string | undefined]>([
  ['the default of accounts is reached', [owner('account', { user_vm: 2 })], undefined],
  ['the default of accounts is exceeded', [owner('account', { user_vm: 3 })], 'account user_vm 2'],
  ['the account has more of its own', [owner('account', { user_vm: 3 }, { user_vm: 3 })], undefined],
  ['the account has none of its own', [owner('account', { user_vm: 3 }, { user_vm: -1 })], undefined],
  ['the account may have nothing', [owner('account', { user_vm: 1 }, { user_vm: 0 })], 'account user_vm 0'],
  ['the setting says that there is none', [owner('account', { cpu: 999 })], undefined],
  ['what has not grown is above its limit', [owner('account', { memory: 1e9 })], undefined],
  ['a domain without limits holds much', [owner('domain', { user_vm: 99 }), owner('account', {})], undefined],
  ['the default of domains is exceeded', [owner('domain', { cpu: 51 })], 'domain cpu 50'],
  ['the domain has none of its own', [owner('domain', { cpu: 51 }, { cpu: -1 })], undefined],
  ['a domain is full', [owner('domain', { user_vm: 9 }, { user_vm: 8 }), owner('account', {})], 'domain user_vm 8'],
  [
    'account and domain are full',
    [owner('domain', { user_vm: 9 }, { user_vm: 8 }), owner('account', { user_vm: 3 })],
    'account user_vm 2',
  ],
  [
    'a disk takes part of a GiB too much',
    [owner('account', { primary_storage: 200.01 })],
    'account primary_storage 200',
  ],
])('when %s', (_what, owners, expected) => {
  const found = exceededLimit(owners, ['user_vm', 'cpu', 'primary_storage'], SETTINGS);
  expect(found && `${found.kind} ${found.type} ${found.max}`).toBe(expected);
});
