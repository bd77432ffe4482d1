import { freeBytes, overprovisioningFactor, type PoolSpace } from './pool-space.js';

const empty: PoolSpace = { capacityBytes: 100, usedBytes: 0, templateBytes: 0, allocatedBytes: 0 };

describe('freeBytes', () => {
  it.each<[string, Partial<PoolSpace>, number, number]>([
    ['an empty pool has all', {}, 2, 100],
    ['a template takes what it is, whatever the factor', { templateBytes: 30 }, 2, 70],
    ['root disks count by the factor', { allocatedBytes: 60 }, 2, 70],
    ['both', { templateBytes: 30, allocatedBytes: 60 }, 2, 40],
    ['without overprovisioning disks count in full', { templateBytes: 30, allocatedBytes: 60 }, 1, 10],
    ["other people's files count", { usedBytes: 90, templateBytes: 30 }, 2, 10],
    ['what is promised and not written yet counts', { usedBytes: 10, allocatedBytes: 160 }, 2, 20],
    ['a pool that shrank has less than nothing', { capacityBytes: 20, templateBytes: 30 }, 2, -10],
  ])('%s', (_, pool, factor, expected) => {
    expect(freeBytes({ ...empty, ...pool }, factor)).toBe(expected);
  });
});

describe('overprovisioningFactor', () => {
  it.each([
    ['2', 2],
    ['1.5', 1.5],
    ['0', 1],
    ['-3', 1],
    ['lots', 1],
    ['', 1],
    ['Infinity', 1],
  ])('of %j is %d', (setting, expected) => {
    expect(overprovisioningFactor(setting)).toBe(expected);
  });
});
