import { inParts } from './in-parts.js';

const [half, large] = ['x'.repeat(200_000), 'x'.repeat(500_000)];

it.each<[string, string[], string[][]]>([
  ['nothing', [], []],
  ['what is small together', ['a', 'b'], [['a', 'b']]],
  [
    'what is large together',
    [half, 'a', half, 'b'],
    [
      [half, 'a'],
      [half, 'b'],
    ],
  ],
  ['what is too large by itself', ['a', large, 'b'], [['a'], [large], ['b']]],
])('should divide %s', (_, items, parts) => {
  expect(inParts(items)).toEqual(parts);
});
