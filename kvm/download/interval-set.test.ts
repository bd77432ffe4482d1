import fc from 'fast-check';
import { IntervalSet } from './interval-set.js';

const SIZE = 60;
const edges = fc.tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE }));
const changes = fc.array(fc.tuple(fc.boolean(), edges), { maxLength: 30 });

describe('an interval set', () => {
  it('knows the same bytes as a list of all of them', () => {
    fc.assert(
      fc.property(changes, fc.nat({ max: SIZE }), (steps, position) => {
        const set = new IntervalSet();
        const model = Array.from({ length: SIZE }, () => false);
        for (const [isAdded, [fromByte, endByte]] of steps) {
          if (isAdded) set.add(fromByte, endByte);
          else set.remove(fromByte, endByte);
          if (fromByte < endByte) model.fill(isAdded, fromByte, endByte);
        }
        const listed = Array.from({ length: SIZE }, () => false);
        for (const { fromByte, endByte } of set.list) listed.fill(true, fromByte, endByte);
        expect(listed).toEqual(model);
        expect(set.bytes).toBe(model.filter(Boolean).length);
        // Sorted, and none touches the next.
        set.list.forEach(({ fromByte, endByte }, index) => {
          expect(fromByte).toBeLessThan(endByte);
          expect(fromByte).toBeGreaterThan(set.list[index - 1]?.endByte ?? -1);
        });
        const hole = model.indexOf(false, position);
        expect(set.endOfRun(position)).toBe(hole === -1 ? SIZE : hole);
        const lacking = new IntervalSet(set.gaps(SIZE));
        expect(lacking.bytes + set.bytes).toBe(SIZE);
        for (const { fromByte, endByte } of set.list) lacking.add(fromByte, endByte);
        expect(lacking.list).toEqual([{ fromByte: 0, endByte: SIZE }]);
      }),
    );
  });

  it('can reach to the end of a file whose size is not known', () => {
    const set = new IntervalSet(new IntervalSet([{ fromByte: 0, endByte: 5 }]).gaps(Infinity));
    set.remove(7, 9);
    expect(set.list).toEqual([
      { fromByte: 5, endByte: 7 },
      { fromByte: 9, endByte: Infinity },
    ]);
    set.remove(100, Infinity);
    expect(set.bytes).toBe(93);
  });
});
