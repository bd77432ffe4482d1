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
    expect(freeBytes({ ...empty, ...pool }, { factor, mostUsed: 1, mostAllocated: 1 })).toBe(expected);
  });

  it.each<[string, Partial<PoolSpace>, number]>([
    ['so much as may be in use', { usedBytes: 30 }, 20],
    ['so much as may be promised', { templateBytes: 20, allocatedBytes: 100 }, 5],
    ['the less of both', { usedBytes: 60, templateBytes: 80 }, -10],
  ])('of a pool of which not all may be taken: %s', (_, pool, expected) => {
    expect(freeBytes({ ...empty, ...pool }, { factor: 2, mostUsed: 0.5, mostAllocated: 0.75 })).toBe(expected);
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
