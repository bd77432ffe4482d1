import type { PoolInventory } from '../../../shared/reconciliation.js';
import { comparePool, type KnownPool, type KnownVolume } from './compare-pool.js';

const TEMPLATE = '0b6e1f5e-3f4a-4c53-9d5c-6a3f0d8f1a01';
const VOLUME = '0b6e1f5e-3f4a-4c53-9d5c-6a3f0d8f1a02';
const copy = (epoch: number) => `${TEMPLATE}.g1.e${epoch}`;
const disk = (token: number) => `${VOLUME}.${token}`;

const pool = (files: string[], recentFiles: string[] = []): PoolInventory => ({ poolId: 'pool', files, recentFiles });
const known = (overrides: Partial<KnownPool> = {}): KnownPool => ({
  copies: [],
  templateIds: new Set([TEMPLATE]),
  volumes: [],
  ...overrides,
});
const volume = (overrides: Partial<KnownVolume> = {}): KnownVolume => ({
  volumeId: VOLUME,
  fileName: disk(4),
  isExpected: true,
  fenceToken: 8,
  claimedTokens: [],
  isBusy: false,
  ...overrides,
});

describe('comparePool', () => {
  it.each<[why: string, files: PoolInventory, what: KnownPool, orphans: string[], unknown: string[]]>([
    ['a copy that counts', pool([copy(3)]), known({ copies: [{ fileName: copy(3), isInstalled: true }] }), [], []],
    [
      'a copy that is being installed',
      pool([copy(3)]),
      known({ copies: [{ fileName: copy(3), isInstalled: false }] }),
      [],
      [],
    ],
    [
      'a copy of an earlier try',
      pool([copy(2)]),
      known({ copies: [{ fileName: copy(3), isInstalled: false }] }),
      [copy(2)],
      [],
    ],
    ['a copy without any row', pool([copy(2)]), known(), [copy(2)], []],
    ['a copy without any row that is new', pool([copy(2)], [copy(2)]), known(), [], []],
    ['a copy of an unknown template', pool([copy(2)]), known({ templateIds: new Set() }), [], [copy(2)]],
    ['a disk', pool([disk(4)]), known({ volumes: [volume()] }), [], []],
    ['a disk of an earlier try', pool([disk(2), disk(4)]), known({ volumes: [volume()] }), [disk(2)], []],
    [
      'what is left of one that was being made',
      pool([`${disk(2)}.creating.x`, disk(4)]),
      known({ volumes: [volume()] }),
      [`${disk(2)}.creating.x`],
      [],
    ],
    ['a disk of a later try that failed', pool([disk(4), disk(6)]), known({ volumes: [volume()] }), [disk(6)], []],
    [
      'a disk that a host has yet to remove',
      pool([disk(2), disk(4)]),
      known({ volumes: [volume({ claimedTokens: [2] })] }),
      [],
      [],
    ],
    [
      'any disk of a VM that is worked on',
      pool([disk(2), disk(4)]),
      known({ volumes: [volume({ isBusy: true })] }),
      [],
      [],
    ],
    ['a disk of the future', pool([disk(4), disk(10)]), known({ volumes: [volume()] }), [], [disk(10)]],
    ['a disk of an unknown volume', pool([disk(4)]), known(), [], [disk(4)]],
    [
      'a disk of an expunged VM',
      pool([disk(4)]),
      known({ volumes: [volume({ fileName: null, isExpected: false })] }),
      [disk(4)],
      [],
    ],
  ])('judges %s', (_why, inventory, what, orphans, unknown) => {
    const found = comparePool(inventory, what);
    expect(found.orphans).toEqual(orphans.map((fileName) => ({ poolId: 'pool', fileName })));
    expect(found.unknownFiles).toEqual(unknown);
    expect(found.missing).toEqual([]);
  });

  it.each<[why: string, what: KnownPool, missing: unknown[]]>([
    [
      'a copy that is gone',
      known({ copies: [{ fileName: copy(3), isInstalled: true }] }),
      [{ poolId: 'pool', fileName: copy(3), kind: 'lostTemplate' }],
    ],
    ['a copy that is not there yet', known({ copies: [{ fileName: copy(3), isInstalled: false }] }), []],
    [
      'a disk that is gone',
      known({ volumes: [volume()] }),
      [{ poolId: 'pool', fileName: disk(4), kind: 'lostVolume' }],
    ],
    ['a disk of a VM that is worked on', known({ volumes: [volume({ isBusy: true })] }), []],
    ['a disk that is elsewhere, or to be removed', known({ volumes: [volume({ isExpected: false })] }), []],
  ])('misses %s', (_why, what, missing) => {
    expect(comparePool(pool([]), what).missing).toEqual(missing);
  });
});
