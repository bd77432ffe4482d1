import { chooseEvictions } from './choose-evictions.js';

const copies = [
  { id: 'oldest', templateId: 'a', reservedBytes: 10 },
  { id: 'own', templateId: 'wanted', reservedBytes: 100 },
  { id: 'empty', templateId: 'b', reservedBytes: 0 },
  { id: 'older', templateId: 'c', reservedBytes: 20 },
  { id: 'old', templateId: 'd', reservedBytes: 30 },
];

describe('chooseEvictions', () => {
  it.each<[string, number, string[]]>([
    ['nothing when nothing lacks', 0, []],
    ['nothing when what leaves is more than enough', -5, []],
    ['the least recently used', 10, ['oldest']],
    ['as many as are needed', 11, ['oldest', 'older']],
    ['all but the wanted template and what takes no space', 60, ['oldest', 'older', 'old']],
    ['nothing when all are not enough', 61, []],
  ])('takes %s', (_, lackingBytes, expected) => {
    expect(chooseEvictions(copies, { lackingBytes, templateId: 'wanted' }).map(({ id }) => id)).toEqual(expected);
  });
});
