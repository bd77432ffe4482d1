import fc from 'fast-check';
import { readDigestHeaders, readLinkHeaders } from './link-headers.js';

const BASE = 'https://origin.example/images/disk.qcow2';

const mirrorsOf = (...values: string[]): unknown => readLinkHeaders(values, BASE).mirrors;

describe('links to mirrors', () => {
  it('should be read as redirecting mirror directors send them', () => {
    const answer = readLinkHeaders(
      [
        '<https://origin.example/images/disk.qcow2.meta4>; rel=describedby; type="application/metalink4+xml"',
        '<https://origin.example/images/disk.qcow2.torrent>; rel=describedby; type="application/x-bittorrent"',
        '<https://origin.example/images/disk.qcow2.asc>; rel=describedby; type="application/pgp-signature"',
        '<http://ftp.de.example/pub/disk.qcow2>; rel=duplicate; pri=1; geo=de',
        '<http://ftp.jp.example/pub/disk.qcow2>; rel=duplicate; pri=2; pref; geo=jp; depth=3',
        '<ftp://ftp.us.example/pub/disk.qcow2>; rel=duplicate; pri=3; geo=us',
      ],
      BASE,
    );
    expect(answer).toEqual({
      metalinks: ['https://origin.example/images/disk.qcow2.meta4'],
      mirrors: [
        { url: 'http://ftp.de.example/pub/disk.qcow2', priority: 1, location: 'de', hasPref: false },
        { url: 'http://ftp.jp.example/pub/disk.qcow2', priority: 2, location: 'jp', hasPref: true, depth: 3 },
      ],
      dropped: [{ what: 'ftp://ftp.us.example/pub/disk.qcow2', why: 'it is none of http, https and nfs' }],
    });
  });

  it('should be read from one header with many links', () => {
    expect(
      mirrorsOf('<http://a.example/x>; rel=duplicate; pri=1; depth=0, <http://b.example/x>; rel=duplicate; pri=1'),
    ).toEqual([
      { url: 'http://a.example/x', priority: 1, hasPref: false, depth: 0 },
      { url: 'http://b.example/x', priority: 1, hasPref: false },
    ]);
  });

  const found = { url: 'https://a.example/x', priority: 1, location: 'de', hasPref: true };

  it.each([
    ['quoted values', '<https://a.example/x>; rel="duplicate"; pri="1"; geo="de"; pref=""'],
    ['names and relations in any case', '<https://a.example/x>; REL=Duplicate; Pri=1; GEO=DE; PREF'],
    ['several relations', '<https://a.example/x>; rel="alternate duplicate"; pri=1; geo=de; pref'],
    ['runs of semicolons', '<https://a.example/x>;;; rel=duplicate;; ;pri=1;geo=de;pref;'],
    ['no blanks and many', '<https://a.example/x>;rel=duplicate;\t pri =  1 ;geo= "de" ;  pref'],
    ['empty list members', ', ,<https://a.example/x>; rel=duplicate; pri=1; geo=de; pref, ,'],
    ['the first of repeated parameters', '<https://a.example/x>; rel=duplicate; pri=1; geo=de; pref; pri=2; rel=next'],
    ['quotes within quotes', String.raw`<https://a.example/x>; title="a \", b; c"; rel=duplicate; pri=1; geo=de; pref`],
    ['junk before it', 'junk; rel=duplicate, <https://a.example/x>; rel=duplicate; pri=1; geo=de; pref'],
  ])('should be read with %s', (_what, value) => {
    expect(mirrorsOf(value)).toEqual([found]);
  });

  it('should be read with commas, semicolons and quotes inside the URL, relative to where it came from', () => {
    expect(mirrorsOf(`</a,b;c="d?q=1,2>; rel=duplicate, <../e>; rel=duplicate`)).toEqual([
      { url: 'https://origin.example/a,b;c=%22d?q=1,2', priority: 999999, hasPref: false },
      { url: 'https://origin.example/e', priority: 999999, hasPref: false },
    ]);
  });

  it.each([
    ['of another relation', '<https://a.example/x>; rel=preload'],
    ['without a relation', '<https://a.example/x>; pri=1'],
    ['with an anchor', '<https://a.example/x>; rel=duplicate; anchor="https://b.example/other"'],
    ['that never ends', '<https://a.example/x; rel=duplicate'],
    ['without brackets', 'https://a.example/x; rel=duplicate'],
    ['whose relation is in an unclosed quote', '<https://a.example/x>; title="; rel=duplicate'],
    ['to what describes the file and is no metalink', '<https://a.example/x>; rel=describedby'],
  ])('should be ignored %s', (_what, value) => {
    expect(readLinkHeaders([value], BASE)).toEqual({ mirrors: [], metalinks: [], dropped: [] });
  });

  it.each([
    ['<https://a.example/x>; rel=duplicate; pri=0', 'https://a.example/x', 'its priority is out of range'],
    ['<https://a.example/x>; rel=duplicate; pri=-1', 'https://a.example/x', 'its priority is out of range'],
    ['<https://a.example/x>; rel=duplicate; pri=1e3', 'https://a.example/x', 'its priority is out of range'],
    ['<https://a.example/x>; rel=duplicate; pri=1000000', 'https://a.example/x', 'its priority is out of range'],
    ['<file:///etc/passwd>; rel=duplicate', 'file:///etc/passwd', 'it is none of http, https and nfs'],
    ['<http://[>; rel=duplicate', 'a URL', 'it is not valid'],
    [
      `<https://u:secret@a.example/x?secret>; rel=duplicate; pri=x`,
      'https://a.example/x',
      'its priority is out of range',
    ],
    [`<${BASE}>; rel=duplicate`, BASE, 'it was named before, or is what answered'],
    [`<https://a.example/${'x'.repeat(9000)}>; rel=duplicate`, 'a URL', 'it is longer than 8192 characters'],
  ])('should be dropped with a reason: %s', (value, what, why) => {
    expect(readLinkHeaders([value], BASE)).toEqual({ mirrors: [], metalinks: [], dropped: [{ what, why }] });
  });

  it('should be bounded in number and length', () => {
    const links = Array.from({ length: 150 }, (_, index) => `<https://a.example/${index}>; rel=duplicate`);
    expect(readLinkHeaders(links, BASE)).toMatchObject({
      mirrors: { length: 100 },
      dropped: [{ what: '50 links', why: 'only 100 are read' }],
    });
    expect(readLinkHeaders([`<https://a.example/>; rel=duplicate; x=${'x'.repeat(70_000)}`], BASE)).toEqual({
      mirrors: [],
      metalinks: [],
      dropped: [{ what: 'Link headers', why: 'only 65536 characters are read' }],
    });
  });

  it('should never throw, whatever a server sends', () => {
    const piece = fc.constantFrom('<', '>', ';', ',', '"', '\\', '=', ' ', 'rel=duplicate', 'pri=', 'https://a/', '\0');
    const value = fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 40 }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (values) => {
        for (const { url, priority } of readLinkHeaders(values, BASE).mirrors) {
          expect(new URL(url).protocol).toMatch(/^(https?|nfs):$/);
          expect(priority).toBeGreaterThanOrEqual(1);
        }
        readDigestHeaders({ digest: values, reprDigest: values });
      }),
      { numRuns: 500 },
    );
  });
});

describe('digests of an answer', () => {
  const MD5 = Buffer.alloc(16, 1);
  const SHA1 = Buffer.alloc(20, 2);
  const SHA256 = Buffer.alloc(32, 3);
  const SHA512 = Buffer.alloc(64, 4);
  const base64 = (bytes: Buffer): string => bytes.toString('base64');
  const sha256 = { algorithm: 'SHA-256', value: SHA256.toString('hex') };

  it('should be read from Digest, in one header or several', () => {
    const digest = [`MD5=${base64(MD5)},SHA=${base64(SHA1)}`, `SHA-256=${base64(SHA256)}, sha-512=${base64(SHA512)}`];
    expect(readDigestHeaders({ digest, reprDigest: [] })).toEqual([
      { algorithm: 'MD5', value: MD5.toString('hex') },
      { algorithm: 'SHA-1', value: SHA1.toString('hex') },
      sha256,
      { algorithm: 'SHA-512', value: SHA512.toString('hex') },
    ]);
  });

  it.each([
    ['a byte sequence', `sha-256=:${base64(SHA256)}:`],
    ['parameters', `sha-256=:${base64(SHA256)}:;a=1;b="x, y"`],
    ['unknown algorithms around it', `unixsum=:MTIz:, sha-256=:${base64(SHA256)}: , crc32c=:AAAAAA==:;q="," , id-x=1`],
    ['the same twice', `sha-256=:${base64(SHA256)}:, sha-256=:${base64(SHA256)}:`],
  ])('should be read from Repr-Digest with %s', (_what, value) => {
    expect(readDigestHeaders({ digest: [], reprDigest: [value] })).toEqual([sha256]);
  });

  it('should be taken once when both headers say the same', () => {
    const headers = { digest: [`SHA-256=${base64(SHA256)}`], reprDigest: [`sha-256=:${base64(SHA256)}:`] };
    expect(readDigestHeaders(headers)).toEqual([sha256]);
  });

  it.each([
    ['of the wrong length', `SHA-256=${base64(SHA1)}`],
    ['in hexadecimal', `SHA-256=${SHA256.toString('hex')}`],
    ['of hexadecimal digits', `SHA-256=${base64(Buffer.from(SHA256.toString('hex')))}`],
    ['in no base64', `SHA-256=${base64(SHA256).replace('A', '*')}`],
    ['that contradict each other', `SHA-256=${base64(SHA256)},SHA-256=${base64(Buffer.alloc(32, 9))}`],
    ['of nothing', 'SHA-256='],
    ['of no form', '=,;,"'],
  ])('should be left out %s', (_what, value) => {
    expect(readDigestHeaders({ digest: [value], reprDigest: [value.replace(/=(.*)/, '=:$1:')] })).toEqual([]);
  });
});
