import fc from 'fast-check';
import { isSlipwayError } from '../../shared/errors.js';
import { parseMetalink } from './parse-metalink.js';
import type { MetalinkFile } from './metalink-file.js';

const SHA256 = 'a'.repeat(64);
const context = { documentUrl: 'https://origin.example/images/disk.meta4', format: 'QCOW2' } as const;

const version4 = (body: string, attributes = 'name="disk.qcow2"'): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file ${attributes}>${body}</file></metalink>`;

const version3 = (body: string): string =>
  `<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="disk.qcow2">${body}</file></files></metalink>`;

const parse = (document: string | Buffer): MetalinkFile => parseMetalink(document, context);

const refusal = (document: string | Buffer): string => {
  try {
    parse(document);
  } catch (error) {
    if (isSlipwayError(error) && error.code === 'SLIPWAY_METALINK_INVALID') return error.message;
    throw error;
  }
  throw new Error('The document was accepted');
};

describe('version 4', () => {
  it('reads size, hashes and mirrors, best tier first', () => {
    const file = parse(
      version4(`
        <size>1234</size>
        <hash type="sha-256">
          ${SHA256.toUpperCase()}
        </hash>
        <pieces type="sha-256" length="1024"><hash>${'b'.repeat(64)}</hash><hash>${'c'.repeat(64)}</hash></pieces>
        <publisher name="Someone" url="https://publisher.example/"/>
        <url priority="10" location="DE">https://de.example/disk.qcow2</url>
        <url>https://last.example/disk.qcow2</url>
        <url priority="1"> https://first.example/disk.qcow2 </url>
        <url priority="10" location="de">http://de2.example/disk.qcow2?a=1&amp;b=2</url>`),
    );
    expect(file).toEqual({
      name: 'disk.qcow2',
      sizeBytes: 1234,
      digests: [{ algorithm: 'SHA-256', value: SHA256 }],
      tiers: [
        { priority: 1, urls: ['https://first.example/disk.qcow2'] },
        {
          priority: 10,
          location: 'de',
          urls: ['https://de.example/disk.qcow2', 'http://de2.example/disk.qcow2?a=1&b=2'],
        },
        { priority: 999999, urls: ['https://last.example/disk.qcow2'] },
      ],
      dropped: [],
    });
  });

  it('takes any namespace prefix, and no foreign element of the same name', () => {
    const file =
      parse(`<m:metalink xmlns:m="urn:ietf:params:xml:ns:metalink" xmlns:x="urn:other"><m:file name="d.qcow2">
      <x:size>1</x:size><x:hash type="sha-256">${'b'.repeat(64)}</x:hash><x:url>https://foreign.example/</x:url>
      <m:publisher><m:url>https://publisher.example/</m:url></m:publisher>
      <url xmlns="">https://other.example/</url>
      <m:url>https://a.example/d.qcow2</m:url></m:file></m:metalink>`);
    expect(file).toMatchObject({ digests: [], tiers: [{ urls: ['https://a.example/d.qcow2'] }] });
    expect(file.sizeBytes).toBeUndefined();
  });

  it('resolves relative URLs from the document and reads CDATA as it is', () => {
    const file = parse(version4('<url>disk.qcow2</url><url><![CDATA[https://a.example/x?a=1&b=2]]></url>'));
    expect(file.tiers[0]?.urls).toEqual(['https://origin.example/images/disk.qcow2', 'https://a.example/x?a=1&b=2']);
  });

  it.each([
    ['<size>-1</size>', 'size "-1"'],
    ['<size>1e3</size>', 'size "1e3"'],
    ['<size>99999999999999999999</size>', 'size "99999999999999999999"'],
    ['<hash type="sha-256">abc</hash>', 'hash of type "sha-256"'],
    [`<hash type="sha3-256">${SHA256}</hash>`, 'hash of type "sha3-256"'],
    [`<hash>${SHA256}</hash>`, 'hash of type ""'],
    ['<url>ftp://a.example/disk</url>', 'ftp://a.example/disk'],
    ['<url>file:///etc/passwd</url>', 'file:///etc/passwd'],
    ['<url>http://[</url>', 'a URL'],
    ['<url/>', 'a URL'],
    ['<url priority="0">https://b.example/</url>', 'https://b.example/'],
    ['<url priority="1000000">https://b.example/</url>', 'https://b.example/'],
    ['<url priority="high">https://user:secret@b.example/?secret</url>', 'https://b.example/'],
    ['<url>https://b.example/disk.torrent</url>', 'https://b.example/disk.torrent'],
    ['<url>https://a.example/</url>', 'https://a.example/'],
    ['<metaurl mediatype="torrent">https://b.example/disk.torrent</metaurl>', 'https://b.example/disk.torrent'],
  ])('drops %s with a reason and keeps the rest', (element, what) => {
    const file = parse(version4(`<url>https://a.example/</url>${element}`));
    expect(file.tiers).toEqual([{ priority: 999999, urls: ['https://a.example/'] }]);
    expect(file.digests).toEqual([]);
    expect(file.sizeBytes).toBeUndefined();
    expect(file.dropped).toEqual([{ what, why: expect.any(String) }]);
  });

  it('reads at most 1,000 URLs', () => {
    const urls = Array.from({ length: 1200 }, (_, index) => `<url>https://a.example/${index}</url>`).join('');
    const file = parse(version4(urls));
    expect(file.tiers[0]?.urls).toHaveLength(1000);
    expect(file.dropped).toEqual([{ what: '200 URLs', why: 'only 1000 are read' }]);
  });
});

describe('version 3', () => {
  it('reads preference as the opposite of a priority, and hashes from verification only', () => {
    const file = parse(
      version3(`<size>7</size>
        <mm0:alternates xmlns:mm0="http://fedorahosted.org/mirrormanager"><mm0:alternate><size>6</size>
          <verification><hash type="sha256">${'b'.repeat(64)}</hash></verification></mm0:alternate></mm0:alternates>
        <verification><hash type="sha256">${SHA256}</hash>
          <pieces type="sha1" length="4"><hash piece="0">${'c'.repeat(40)}</hash></pieces></verification>
        <publisher><url>https://publisher.example/</url></publisher>
        <resources maxconnections="1">
          <url type="bittorrent" preference="200">https://a.example/disk.torrent</url>
          <url type="http" preference="10">http://low.example/disk</url>
          <url type="https" location="US" preference="100">https://high.example/disk</url>
          <url type="rsync" preference="90">rsync://a.example/disk</url>
        </resources>`),
    );
    expect(file).toMatchObject({
      sizeBytes: 7,
      digests: [{ algorithm: 'SHA-256', value: SHA256 }],
      tiers: [
        { priority: 1, location: 'us', urls: ['https://high.example/disk'] },
        { priority: 91, urls: ['http://low.example/disk'] },
      ],
    });
    expect(file.dropped.map(({ what }) => what)).toEqual(['https://a.example/disk.torrent', 'rsync://a.example/disk']);
  });
});

describe('choice among several files', () => {
  const files = (...names: string[]): string =>
    `<metalink xmlns="urn:ietf:params:xml:ns:metalink">${names
      .map((name) => `<file name="${name}"><url>https://a.example/${name}</url></file>`)
      .join('')}</metalink>`;

  it.each([
    [['notes.txt', 'disk.qcow2'], 'disk.qcow2'],
    [['notes.txt', 'disk.qcow2.xz'], 'disk.qcow2.xz'],
    [['a.vmdk', 'b.vhd'], 'a.vmdk'],
  ])('of %j takes %s', (names, chosen) => {
    const file = parse(files(...names));
    expect(file.name).toBe(chosen);
    expect(file.dropped).toEqual([expect.objectContaining({ why: `"${chosen}" was chosen` })]);
  });
});

describe('a hostile document of a mebibyte', () => {
  const source = '<url>https://a.example/disk.qcow2</url>';
  const many = (count: number, element: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => element(index)).join('');

  it.each([
    ['elements without use', many(90_000, () => '<hash/>')],
    ['long URLs', many(900, (index) => `<url>https://${index}.example/${'é'.repeat(450)}</url>`)],
  ])('of %s is read into something small', (_what, elements) => {
    const file = parse(version4(source + elements));
    expect(file.tiers[0]?.urls[0]).toBe('https://a.example/disk.qcow2');
    expect(JSON.stringify(file).length).toBeLessThan(1024 * 1024);
  });

  it('of namespaces does not stop everything else for minutes', () => {
    const declared = many(30_000, (index) => `xmlns:a${index}="" `);
    const children = many(30_000, () => '<a xmlns:b=""/>');
    const startedMs = performance.now();
    expect(parse(version4(source + children, `${declared} name="disk.qcow2"`)).tiers).toHaveLength(1);
    // Far from both: some hundred milliseconds, or minutes when each element costs as much as all declarations.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe('documents that are refused', () => {
  const deep = '<a>'.repeat(40) + '</a>'.repeat(40);

  it.each([
    ['nothing', '', 'not well-formed'],
    ['a page', '<html><body>Sign in</body></html>', 'root element'],
    ['text', 'hello', 'not well-formed'],
    ['a cut document', version4('<url>https://a.example/</url>').slice(0, -8), 'not well-formed'],
    ['a document type', `<!DOCTYPE metalink [<!ENTITY a "b">]>${version4('<url>&a;</url>')}`, 'document type'],
    ['an external entity', `<!doctype m SYSTEM "file:///etc/passwd">${version4('')}`, 'document type'],
    ['an undeclared entity', version4('<url>https://a.example/&passwd;</url>'), 'entity'],
    ['deep nesting', version4(deep), 'nest'],
    ['another namespace', '<metalink xmlns="urn:other"><file/></metalink>', 'namespace'],
    ['no file', '<metalink xmlns="urn:ietf:params:xml:ns:metalink"/>', 'no file'],
    ['no usable URL', version4('<url>ftp://a.example/</url>'), 'no http or https URL'],
    ['two sizes', version4('<size>1</size><size>2</size><url>https://a.example/</url>'), 'two sizes'],
    [
      'two hashes',
      version4(`<hash type="sha-256">${SHA256}</hash><hash type="sha-256">${'b'.repeat(64)}</hash>`),
      'two SHA-256 hashes',
    ],
    ['too many bytes', version4(`<!--${'x'.repeat(1024 * 1024)}-->`), 'longer than'],
    ['UTF-16', Buffer.from(`\ufeff${version4('')}`, 'utf16le'), 'not UTF-8'],
  ])('%s', (_what, document, why) => {
    expect(refusal(document)).toContain(why);
  });

  it('any mutation of a document is read or refused with the one error, in plain words', () => {
    const original = version4(
      `<size>12</size><hash type="sha-256">${SHA256}</hash><url priority="1" location="de">https://a.example/</url>`,
    );
    const fragment = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        '<',
        '>',
        '&#0;',
        '&#xffffff;',
        '__proto__',
        '<constructor>',
        '<url xmlns="">',
        ']]>',
        '<?x?>',
        '\0',
      ),
    );
    fc.assert(
      fc.property(fc.nat(original.length), fc.nat(20), fragment, (at, cut, inserted) => {
        const document = original.slice(0, at) + inserted + original.slice(at + cut);
        try {
          expect(parse(document).tiers.flatMap(({ urls }) => urls)).not.toHaveLength(0);
        } catch (error) {
          if (!isSlipwayError(error)) throw error;
          expect(error.code).toBe('SLIPWAY_METALINK_INVALID');
          expect(error.message).toMatch(/^[^\n\0]{1,300}$/);
        }
      }),
      { numRuns: 400 },
    );
  });
});
