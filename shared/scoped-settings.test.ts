import { type OwnSetting, scopedSettings, type SettingPlace } from './scoped-settings.js';
import { defaultSettings } from './settings.js';

const NAME = 'direct.download.bandwidth.host';

const everywhere = ['zone', 'cluster', 'pool', 'account'].map((ownerId): OwnSetting => ({
  ownerId,
  name: NAME,
  value: ownerId,
}));
const ALL = { zoneId: 'zone', clusterId: 'cluster', poolId: 'pool', accountId: 'account' };

it.each<[string, SettingPlace, string]>([
  ['nowhere in particular', {}, 'installation'],
  ['a place that has nothing of its own', { zoneId: 'other', clusterId: 'other' }, 'installation'],
  ['a host of no known cluster', { zoneId: 'zone', clusterId: null }, 'zone'],
  ['a cluster in its zone', { zoneId: 'zone', clusterId: 'cluster' }, 'cluster'],
  ['a pool of a cluster', { ...ALL, accountId: undefined }, 'pool'],
  ['an account', ALL, 'account'],
])('at %s', (_, place, expected) => {
  const values = { ...defaultSettings(), [NAME]: 'installation' };
  expect(scopedSettings({ values, own: everywhere }).at(place)).toEqual({ ...values, [NAME]: expected });
});

it('keeps each setting that a place has of its own', () => {
  const own: OwnSetting[] = [
    { ownerId: 'zone', name: NAME, value: '1' },
    { ownerId: 'zone', name: 'direct.download.bandwidth.pool', value: '2' },
    { ownerId: 'cluster', name: NAME, value: '3' },
  ];
  expect(scopedSettings({ values: defaultSettings(), own }).at({ zoneId: 'zone', clusterId: 'cluster' })).toMatchObject(
    {
      [NAME]: '3',
      'direct.download.bandwidth.pool': '2',
      'direct.download.bandwidth.origin': '0',
    },
  );
});
