import type { Mirror } from './metalink-file.js';
import { toTiers } from './to-tiers.js';

const mirror = (priority: number, location?: string, url = `${priority}-${location}`): Mirror => ({
  url,
  priority,
  ...(location === undefined ? {} : { location }),
});

const urlsOf = (mirrors: Mirror[], mirrorLocations: string[]): string[][] =>
  toTiers(mirrors, mirrorLocations).map(({ urls }) => urls);

const MIRRORS = [mirror(2, 'de'), mirror(1, 'us'), mirror(1), mirror(1, 'at'), mirror(1, 'de'), mirror(2, 'fr')];

describe('tiers', () => {
  it.each<[string, string[], string[][]]>([
    [
      'go by priority alone without preferred locations',
      [],
      [
        ['1-us', '1-undefined', '1-at', '1-de'],
        ['2-de', '2-fr'],
      ],
    ],
    [
      'of a preferred location come first within a priority, and never before a better one',
      ['de'],
      [['1-de'], ['1-us', '1-undefined', '1-at'], ['2-de'], ['2-fr']],
    ],
    [
      'of several preferred locations come in the order of preference',
      ['at', 'de'],
      [['1-at'], ['1-de'], ['1-us', '1-undefined'], ['2-de'], ['2-fr']],
    ],
    ['heed no case', ['DE'], [['1-de'], ['1-us', '1-undefined', '1-at'], ['2-de'], ['2-fr']]],
    [
      'stay whole when no mirror is in a preferred location',
      ['jp'],
      [
        ['1-us', '1-undefined', '1-at', '1-de'],
        ['2-de', '2-fr'],
      ],
    ],
  ])('%s', (_what, mirrorLocations, expected) => {
    expect(urlsOf(MIRRORS, mirrorLocations)).toEqual(expected);
  });

  it('should name a location that all of their mirrors share, and no other', () => {
    const mirrors = [mirror(1, 'de', 'a'), mirror(1, 'de', 'b'), mirror(2, 'de', 'c'), mirror(2, undefined, 'd')];
    expect(toTiers(mirrors, [])).toEqual([
      { priority: 1, location: 'de', urls: ['a', 'b'] },
      { priority: 2, urls: ['c', 'd'] },
    ]);
  });

  it('should be none for no mirrors', () => {
    expect(toTiers([], ['de'])).toEqual([]);
  });
});
