import { isSlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { parseMetalink, type MetalinkContext } from './parse-metalink.js';
import type { MetalinkFile } from './metalink-file.js';

const SHA256 = 'a'.repeat(64);
const context: MetalinkContext = {
  documentUrl: 'https://origin.example/images/disk.meta4',
  format: 'QCOW2',
  mirrorLocations: [],
};

const version4 = (body: string, attributes = 'name="disk.qcow2"'): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file ${attributes}>${body}</file></metalink>`;

const version3 = (body: string): string =>
  `<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="disk.qcow2">${body}</file></files></metalink>`;

const parse = (document: string, changes: Partial<MetalinkContext> = {}): MetalinkFile =>
  parseMetalink(document, { ...context, ...changes });

/** `code: message` of the error that a document is refused with. */
const refusalOf = (document: string | Buffer): string => {
  try {
    parseMetalink(document, context);
  } catch (error) {
    if (isSlipwayError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('The document was accepted');
};

describe('version 4', () => {
  it('should read size, hashes and mirrors, best tier first', () => {
    const file = parse(
      version4(`
        <size>1234</size>
        <hash type="sha-256">
          ${SHA256.toUpperCase()}
        </hash>
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
      metaurls: [],
      dropped: [],
    });
  });

  it('should take any namespace prefix, and no foreign element of the same name', () => {
    const file =
      parse(`<m:metalink xmlns:m="urn:ietf:params:xml:ns:metalink" xmlns:x="urn:other"><m:file name="d.qcow2">
      <x:size>1</x:size><x:hash type="sha-256">${'b'.repeat(64)}</x:hash><x:url>https://foreign.example/</x:url>
      <m:publisher><m:url>https://publisher.example/</m:url></m:publisher>
      <url xmlns="">https://other.example/</url>
      <m:url>https://a.example/d.qcow2</m:url></m:file></m:metalink>`);
    expect(file).toMatchObject({ digests: [], tiers: [{ urls: ['https://a.example/d.qcow2'] }] });
    expect(file.sizeBytes).toBeUndefined();
  });

  it('should resolve relative URLs from the document and read CDATA as it is', () => {
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
    ['<url>nfs:///exports/disk</url>', 'nfs:///exports/disk'],
    ['<url>http://[</url>', 'a URL'],
    ['<url/>', 'a URL'],
    ['<url priority="0">https://b.example/</url>', 'https://b.example/'],
    ['<url priority="1000000">https://b.example/</url>', 'https://b.example/'],
    ['<url priority="high">https://user:secret@b.example/?secret</url>', 'https://b.example/'],
    ['<url>https://b.example/disk.torrent</url>', 'https://b.example/disk.torrent'],
    ['<url>https://a.example/</url>', 'https://a.example/'],
    ['<metaurl mediatype="torrent">https://b.example/disk.torrent</metaurl>', 'https://b.example/disk.torrent'],
  ])('should drop %s with a reason and keep the rest', (element, what) => {
    const file = parse(version4(`<url>https://a.example/</url>${element}`));
    expect(file.tiers).toEqual([{ priority: 999999, urls: ['https://a.example/'] }]);
    expect(file.digests).toEqual([]);
    expect(file.sizeBytes).toBeUndefined();
    expect(file.dropped).toEqual([{ what, why: expect.any(String) }]);
  });

  it('should read at most 1,000 URLs', () => {
    const urls = Array.from({ length: 1200 }, (_, index) => `<url>https://a.example/${index}</url>`).join('');
    const file = parse(version4(urls));
    expect(file.tiers[0]?.urls).toHaveLength(1000);
    expect(file.dropped).toEqual([{ what: '200 URLs', why: 'only 1000 are read' }]);
  });

  it('should take nfs URLs for sources like any other', () => {
    const file = parse(
      version4('<url priority="1">nfs://nas.example/exports/disk.qcow2</url><url>https://a.example/</url>'),
    );
    expect(file.tiers.map(({ urls }) => urls)).toEqual([
      ['nfs://nas.example/exports/disk.qcow2'],
      ['https://a.example/'],
    ]);
  });

  it('should put mirrors of preferred locations before the others of their priority', () => {
    const document = version4(`<url location="US">https://us.example/</url><url location="DE">https://de.example/</url>
      <url priority="1" location="fr">https://fr.example/</url>`);
    expect(parse(document, { mirrorLocations: ['de'] }).tiers).toEqual([
      { priority: 1, location: 'fr', urls: ['https://fr.example/'] },
      { priority: 999999, location: 'de', urls: ['https://de.example/'] },
      { priority: 999999, location: 'us', urls: ['https://us.example/'] },
    ]);
  });

  it('should give other metalinks of the file, best first, and drop torrents', () => {
    const file = parse(
      version4(`<metaurl mediatype="application/metalink4+xml">more.meta4</metaurl>
        <metaurl mediatype="Application/Metalink+XML; charset=utf-8" priority="3">https://a.example/v3.metalink</metaurl>
        <metaurl mediatype="torrent" priority="1">https://a.example/disk.torrent</metaurl>
        <metaurl mediatype="application/metalink4+xml">file:///etc/passwd</metaurl>`),
    );
    expect(file.tiers).toEqual([]);
    expect(file.metaurls).toEqual([
      { url: 'https://a.example/v3.metalink', priority: 3 },
      { url: 'https://origin.example/images/more.meta4', priority: 999999 },
    ]);
    expect(file.dropped.map(({ what }) => what)).toEqual(['https://a.example/disk.torrent', 'file:///etc/passwd']);
  });
});

describe('version 3', () => {
  it('should read preference as the opposite of a priority, and hashes from verification only', () => {
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
          <url type="nfs" preference="10">nfs://nas.example/disk</url>
          <url type="ed2k" preference="10">https://a.example/ed2k</url>
          <url preference="101">https://a.example/101</url>
        </resources>`),
    );
    expect(file).toMatchObject({
      sizeBytes: 7,
      digests: [{ algorithm: 'SHA-256', value: SHA256 }],
      tiers: [
        { priority: 1, location: 'us', urls: ['https://high.example/disk'] },
        { priority: 91, urls: ['http://low.example/disk', 'nfs://nas.example/disk'] },
      ],
    });
    expect(file.dropped.map(({ what }) => what)).toEqual([
      'pieces of type "sha1" and length "4"',
      'https://a.example/disk.torrent',
      'rsync://a.example/disk',
      'https://a.example/ed2k',
      'https://a.example/101',
    ]);
  });
});

describe('choice among several files', () => {
  const files = (...names: string[]): string =>
    `<metalink xmlns="urn:ietf:params:xml:ns:metalink">${names
      .map((name) => `<file name="${name}"><url>https://a.example/${name}</url></file>`)
      .join('')}</metalink>`;

  it.each<[ImageFormat, string[], string]>([
    ['QCOW2', ['notes.txt', 'disk.qcow2'], 'disk.qcow2'],
    ['QCOW2', ['notes.txt', 'disk.qcow2.xz'], 'disk.qcow2.xz'],
    ['QCOW2', ['a.vmdk', 'b.vhd'], 'a.vmdk'],
    ['QCOW2', ['disk.img', 'disk.QCOW2.ZST', 'other.qcow2'], 'disk.QCOW2.ZST'],
    ['QCOW2', ['disk.raw', 'disk.img.gz'], 'disk.img.gz'],
    ['QCOW2', ['disk.qcow2.sig', 'disk.qcow2.xz.asc', 'disk.qcow2'], 'disk.qcow2'],
    ['RAW', ['disk.qcow2', 'disk.img', 'disk.raw.bz2'], 'disk.raw.bz2'],
    ['RAW', ['boot.iso', 'disk.img.zip'], 'disk.img.zip'],
    ['ISO', ['disk.img', 'disk.qcow2', 'boot.iso'], 'boot.iso'],
    ['ISO', ['disk.img', 'boot.iso.gz'], 'boot.iso.gz'],
    ['ISO', ['disk.img', 'disk.qcow2'], 'disk.img'],
  ])('should take for %s of %j %s', (format, names, chosen) => {
    const file = parse(files(...names), { format });
    expect(file).toMatchObject({ name: chosen, tiers: [{ urls: [`https://a.example/${chosen}`] }] });
    expect(file.dropped).toEqual(
      names
        .filter((name) => name !== chosen)
        .map((name) => ({ what: `file "${name}"`, why: `"${chosen}" was chosen` })),
    );
  });

  it('should mix nothing of one file into another', () => {
    const other = `<size>9</size><hash type="sha-256">${'b'.repeat(64)}</hash><url>https://other.example/</url>
      <pieces type="sha-256" length="4096"><hash>${'b'.repeat(64)}</hash></pieces>`;
    const file = parse(`<metalink xmlns="urn:ietf:params:xml:ns:metalink">
      <file name="first.txt">${other}</file><file name="disk.qcow2"><url>https://a.example/</url></file>
      <file name="last.qcow2">${other}</file></metalink>`);
    expect(file).toMatchObject({ digests: [], tiers: [{ urls: ['https://a.example/'] }] });
    expect(file.sizeBytes ?? file.pieces).toBeUndefined();
  });
});

describe('credentials and queries of the document', () => {
  // CVE-2021-22923: what was meant for the metalink's server was sent to every mirror.
  it('should reach no mirror elsewhere', () => {
    const documentUrl = 'https://user:secret@origin.example/images/disk.meta4?token=secret';
    const document = version4('<url>https://a.example/d</url><url>//b.example/d</url><url>d?c=1</url>');
    expect(parse(document, { documentUrl }).tiers[0]?.urls).toEqual([
      'https://a.example/d',
      'https://b.example/d',
      'https://user:secret@origin.example/images/d?c=1',
    ]);
  });

  it('should be in no report and no error', () => {
    const urls = `<url priority="0">https://u:secret@a.example/d?secret</url><url>d.torrent</url>
      <metaurl mediatype="torrent">https://u:secret@a.example/d?secret#secret</metaurl>`;
    const documentUrl = 'https://user:secret@origin.example/disk.meta4?secret';
    expect(() => parse(version4(urls), { documentUrl })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') as string }),
    );
    const { dropped } = parse(version4(`${urls}<url>https://b.example/</url>`), { documentUrl });
    expect(dropped).toHaveLength(3);
    expect(JSON.stringify(dropped)).not.toContain('secret');
  });
});

describe('documents that are refused', () => {
  it.each([
    ['nothing', '', 'SLIPWAY_METALINK_INVALID', 'not well-formed'],
    ['a page', '<!DOCTYPE html>\n<html><body>Sign in</body></html>', 'SLIPWAY_METALINK_INVALID', 'web page'],
    ['another document', '<feed/>', 'SLIPWAY_METALINK_INVALID', 'its root element is "feed"'],
    ['text', 'hello', 'SLIPWAY_METALINK_INVALID', 'not well-formed'],
    ['no file', '<metalink xmlns="urn:ietf:params:xml:ns:metalink"/>', 'SLIPWAY_METALINK_INVALID', 'no file'],
    ['another namespace', '<metalink xmlns="urn:other"><file/></metalink>', 'SLIPWAY_METALINK_INVALID', 'namespace'],
    [
      'two sizes',
      version4('<size>1</size><size>2</size><url>https://a.example/</url>'),
      'SLIPWAY_METALINK_INVALID',
      'two sizes',
    ],
    [
      'two hashes',
      version4(`<hash type="sha-256">${SHA256}</hash><hash type="sha-256">${'b'.repeat(64)}</hash>`),
      'SLIPWAY_METALINK_INVALID',
      'two SHA-256 hashes',
    ],
    [
      'one file twice',
      version4('<url>https://a.example/</url></file><file name="disk.qcow2"><url>https://b.example/</url>'),
      'SLIPWAY_METALINK_INVALID',
      'the file "disk.qcow2" twice',
    ],
    ['no URL', version4('<size>1</size>'), 'SLIPWAY_METALINK_NO_SOURCE', '"disk.qcow2" has no URL that can be used'],
    [
      'no usable URL',
      version4('<url>ftp://a.example/</url><url>rsync://b.example/</url><url/><url>c.torrent</url>'),
      'SLIPWAY_METALINK_NO_SOURCE',
      '(ftp://a.example/: it is none of http, https and nfs; rsync://b.example/: it is none of http, https and nfs; ' +
        'a URL: it is not valid; and 1 more)',
    ],
    [
      'a document type',
      `<!DOCTYPE metalink [<!ENTITY a "b">]>${version3('<resources><url>&a;</url></resources>')}`,
      'SLIPWAY_METALINK_DTD',
      'document type',
    ],
    ['too many bytes', `<!--${'x'.repeat(16 * 1024 * 1024)}-->`, 'SLIPWAY_METALINK_TOO_LARGE', '16777216 bytes'],
  ])('should be those with %s', (_what, document, code, why) => {
    const refusal = refusalOf(document);
    expect(refusal).toContain(why);
    expect(refusal.startsWith(`${code}: The metalink document `)).toBe(true);
  });
});
