import type { InventoryCursor, PoolInventory, PoolRange } from '../../../shared/reconciliation.js';
import { comparePools } from './compare-pools.js';
import { inventoryPart } from './inventory-part.js';

const POOLS = ['pool-1', 'pool-2', 'pool-3'];
const inventory = (pools: PoolInventory[], next?: InventoryCursor) => ({
  bootId: 'boot-1',
  pools,
  next,
  vmIds: [],
  keptVmIds: [],
});
const pool = (poolId: string, files: string[], range: Partial<PoolRange> = {}): PoolInventory => ({
  poolId,
  files,
  recentFiles: [],
  ...range,
});

const TEMPLATE = '0b6e1f5e-3f4a-4c53-9d5c-6a3f0d8f1a01';
const copy = (epoch: number): string => `${TEMPLATE}.g1.e${epoch}`;

describe('a part of what a host has', () => {
  const from = { poolId: 'pool-2', after: copy(2) };

  it('begins where it was asked to, also when the host lists all that it has', () => {
    const all = inventory([
      pool('pool-1', [copy(1)]),
      pool('pool-2', [copy(1), copy(2), copy(3)]),
      pool('pool-3', [copy(1)]),
    ]);
    expect(inventoryPart(all, POOLS, from)).toEqual({
      pools: [pool('pool-2', [copy(3)], { after: copy(2) }), pool('pool-3', [copy(1)])],
      next: undefined,
    });
  });

  it.each<[string, InventoryCursor, boolean]>([
    ['further in the pool', { poolId: 'pool-2', after: copy(3) }, true],
    ['in the next pool', { poolId: 'pool-3', after: '' }, true],
    ['at the same place', from, false],
    ['in front of it', { poolId: 'pool-2', after: copy(1) }, false],
    ['in a pool before', { poolId: 'pool-1', after: 'z' }, false],
    ['in a pool that nobody asked for', { poolId: 'pool-4', after: 'a' }, false],
  ])('is followed by one that is ahead only: %s', (_, next, isAhead) => {
    expect(inventoryPart(inventory([], next), POOLS, from).next).toEqual(isAhead ? next : undefined);
  });
});

describe('comparePools', () => {
  const expected = (...epochs: number[]) => ({
    copies: epochs.map((epoch) => ({ fileName: copy(epoch), isInstalled: true })),
    templateIds: new Set([TEMPLATE]),
    volumes: [],
  });

  it('misses no file that is in another part', () => {
    const known = new Map([['pool-1', expected(1, 2, 3, 4)]]);
    const { differences, next } = comparePools([pool('pool-1', [copy(2)], { after: copy(1), upTo: copy(3) })], known);
    expect(differences.flatMap(({ missing }) => missing)).toMatchObject([{ fileName: copy(3) }]);
    expect(next).toBeUndefined();
  });

  it('misses each file once, few at a time, however many are lost', () => {
    const known = new Map(POOLS.map((poolId) => [poolId, expected(1, 2, 3, 4, 5)]));
    const pools = [pool('pool-1', []), pool('pool-2', [copy(9), copy(2)]), pool('pool-3', POOLS.slice(3))];
    const missing: string[] = [];
    const orphans: string[] = [];
    const ended: string[] = [];
    let from: InventoryCursor | undefined;
    do {
      const part = inventoryPart(inventory(pools), POOLS, from);
      const compared = comparePools(part.pools, known, 2);
      const found = compared.differences.flatMap((one) => one.missing);
      expect(found.length).toBeLessThanOrEqual(2);
      missing.push(...found.map(({ poolId, fileName }) => `${poolId} ${fileName}`));
      orphans.push(...compared.differences.flatMap((one) => one.orphans.map(({ fileName }) => fileName)));
      ended.push(...compared.ranges.filter(({ upTo }) => upTo === undefined).map(({ poolId }) => poolId));
      from = compared.next;
    } while (from);
    const all = (poolId: string, ...epochs: number[]) => epochs.map((epoch) => `${poolId} ${copy(epoch)}`);
    expect(missing).toEqual([
      ...all('pool-1', 1, 2, 3, 4, 5),
      ...all('pool-2', 1, 3, 4, 5),
      ...all('pool-3', 1, 2, 3, 4, 5),
    ]);
    expect([orphans, ended]).toEqual([[copy(9)], POOLS]);
  });
});
