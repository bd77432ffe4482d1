import type { MetalinkFile } from './metalink-file.js';
import { parseMetalink } from './parse-metalink.js';

const KIB = 1024;
const SIZE_BYTES = 10 * KIB;

const version4 = (body: string): string =>
  `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="d.qcow2">${body}<url>https://a.example/</url></file></metalink>`;

const version3 = (size: string, verification: string): string =>
  `<metalink xmlns="http://www.metalinker.org/"><files><file name="d.qcow2">${size}<verification>${verification}</verification>
  <resources><url>https://a.example/</url></resources></file></files></metalink>`;

const parse = (document: string): MetalinkFile =>
  parseMetalink(document, { documentUrl: 'https://origin.example/', format: 'QCOW2', mirrorLocations: [] });

const size = `<size>${SIZE_BYTES}</size>`;
const hex = (digits: number, index: number): string => index.toString(16).padStart(digits, '0');

const pieces4 = (type: string, length: number | string, hashes: string[]): string =>
  `<pieces type="${type}" length="${length}">${hashes.map((hash) => `<hash>${hash}</hash>`).join('\n')}</pieces>`;

const SHA256 = [0, 1, 2].map((index) => hex(64, index));
const SHA1 = [0, 1, 2].map((index) => hex(40, index));

const OF_FOUR_KIB = { algorithm: 'SHA-256', lengthBytes: 4 * KIB, values: SHA256 };

describe('pieces of version 4', () => {
  it.each([
    ['after the size', version4(size + pieces4('sha-256', 4096, SHA256))],
    ['before the size', version4(pieces4('sha-256', 4096, SHA256) + size)],
    [
      'in capitals, indented',
      version4(
        size +
          pieces4(
            'SHA-256',
            ' 4096 ',
            SHA256.map((hash) => `\n  ${hash.toUpperCase()}\n`),
          ),
      ),
    ],
  ])('should be read %s, and not taken for hashes of the file', (_what, document) => {
    expect(parse(document)).toMatchObject({ digests: [], pieces: OF_FOUR_KIB, dropped: [] });
  });

  it('should be the strongest, then those of the shortest pieces, whatever the order', () => {
    const lists = [
      pieces4('sha-1', 4096, SHA1),
      pieces4('sha-256', 8192, SHA256.slice(0, 2)),
      pieces4('sha-256', 4096, SHA256),
      pieces4(
        'md5',
        4096,
        SHA1.map((hash) => hash.slice(-32)),
      ),
    ];
    for (const order of [lists, lists.toReversed()]) {
      const file = parse(version4(size + order.join('')));
      expect(file.pieces).toEqual(OF_FOUR_KIB);
      expect(file.dropped.map(({ why }) => why)).toEqual(
        Array.from({ length: 3 }, () => 'others are stronger or shorter'),
      );
    }
  });

  it('should be weaker ones when the strongest cannot be believed', () => {
    const file = parse(version4(size + pieces4('sha-256', 4096, SHA256.slice(1)) + pieces4('sha-1', 4096, SHA1)));
    expect(file.pieces).toEqual({ algorithm: 'SHA-1', lengthBytes: 4096, values: SHA1 });
  });

  const what = 'pieces of type "sha-256" and length "4096"';

  it.each([
    ['too few', size + pieces4('sha-256', 4096, SHA256.slice(1)), what, 'there are 2 of them and not 3'],
    ['too many', size + pieces4('sha-256', 4096, [...SHA256, SHA256[0] ?? '']), what, 'there are 4 of them and not 3'],
    ['none', size + pieces4('sha-256', 4096, []), what, 'there are 0 of them and not 3'],
    ['none of nothing', `<size>0</size>${pieces4('sha-256', 4096, [])}`, what, 'there are 0 of them and not 0'],
    ['of a file without a size', pieces4('sha-256', 4096, SHA256), what, 'the size of the file is not known'],
    ['of another length', size + pieces4('sha-256', 4096, SHA1), what, 'one of them is not 64 hexadecimal digits'],
    [
      'of other digits',
      size + pieces4('sha-256', 4096, [`${SHA256[0]?.slice(1)}g`]),
      what,
      'one of them is not 64 hexadecimal digits',
    ],
    ['empty', size + pieces4('sha-256', 4096, ['', '', '']), what, 'one of them is not 64 hexadecimal digits'],
    [
      'of an unknown type',
      size + pieces4('tiger', 4096, SHA256),
      'pieces of type "tiger" and length "4096"',
      'their algorithm is not supported',
    ],
    ...['4095', '0', '-4096', '4096.0', '0x1000', '1e4', '1073741825', '99999999999999999999', '', '4 096'].map(
      (length) => [
        `of length "${length}"`,
        size + pieces4('sha-256', length, SHA256),
        `pieces of type "sha-256" and length "${length}"`,
        'their length is not from 4096 to 1073741824 bytes',
      ],
    ),
  ])('should be dropped, and the document read, when they are %s', (_what, body, dropped, why) => {
    const file = parse(version4(body));
    expect(file.pieces).toBeUndefined();
    expect(file.dropped).toEqual([{ what: dropped, why }]);
    expect(file.tiers).toHaveLength(1);
  });

  it('should be read from the first 16 lists', () => {
    const file = parse(version4(size + pieces4('sha-1', 4096, SHA1).repeat(16) + pieces4('sha-256', 4096, SHA256)));
    expect(file.pieces?.algorithm).toBe('SHA-1');
    expect(file.dropped).toContainEqual({ what: '1 lists of pieces', why: 'only 16 are read' });
  });
});

describe('pieces of version 3', () => {
  const pieces3 = (numbers: (number | string)[]): string =>
    `<pieces type="sha256" length="4096">${numbers
      .map((number) => `<hash piece="${number}">${SHA256[Number(number)] ?? SHA256[0]}</hash>`)
      .join('')}</pieces>`;

  it.each([[[0, 1, 2]], [[2, 0, 1]]])('should be read when numbered %j', (numbers) => {
    expect(parse(version3(size, pieces3(numbers))).pieces).toEqual(OF_FOUR_KIB);
  });

  it.each([
    [[0, 1, 1], 'they are not numbered from 0, each once'],
    [[1, 2, 3], 'they are not numbered from 0, each once'],
    [[0, 1, 999_999_999], 'they are not numbered from 0, each once'],
    [[0, 1], 'there are 2 of them and not 3'],
    [[0, 1, -2], 'one of them has no number'],
    [[0, 1, '2.0'], 'one of them has no number'],
    [[0, 1, ''], 'one of them has no number'],
  ])('should be dropped when numbered %j', (numbers, why) => {
    const file = parse(version3(size, pieces3(numbers)));
    expect(file.pieces).toBeUndefined();
    expect(file.dropped).toEqual([{ what: 'pieces of type "sha256" and length "4096"', why }]);
  });

  it('should be dropped without numbers', () => {
    const file = parse(version3(size, pieces4('sha256', 4096, SHA256)));
    expect(file.dropped).toMatchObject([{ why: 'one of them has no number' }]);
  });
});
