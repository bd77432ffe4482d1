import fc from 'fast-check';
import { isSlipwayError } from '../../shared/errors.js';
import type { MetalinkFile } from './metalink-file.js';
import { parseMetalink } from './parse-metalink.js';

const SHA256 = 'ab'.repeat(32);

const VERSION_4 = `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink"><generator>g</generator>
<file name="disk.qcow2"><size>8192</size><hash type="sha-256">${SHA256}</hash>
<pieces type="sha-256" length="4096"><hash>${SHA256}</hash><hash>${SHA256}</hash></pieces>
<url priority="1" location="de">https://a.example/disk?a=1&amp;b=2</url><url>nfs://b.example/exports/disk</url>
<metaurl mediatype="application/metalink4+xml">https://a.example/more.meta4</metaurl></file></metalink>`;

const VERSION_3 = `<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:x="urn:x"><files>
<file name="disk.qcow2"><size>8192</size><verification><hash type="sha256">${SHA256}</hash>
<pieces type="sha1" length="4096"><hash piece="1">${SHA256.slice(0, 40)}</hash><hash piece="0">${SHA256.slice(0, 40)}</hash></pieces>
</verification><resources maxconnections="4"><url type="http" preference="100" location="US">http://a.example/disk</url>
<url type="bittorrent" preference="200">http://a.example/disk.torrent</url><x:url>y</x:url></resources></file></files></metalink>`;

/** Pieces of the originals and of what breaks parsers. */
const fragment = fc.oneof(
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.constantFrom('<', '>', '</', '/>', '"', '=', '&', '&#0;', '&#xffffff;', '&amp;', '&x;', ']]>', '<![CDATA[', '\0'),
  fc.constantFrom(
    '<!DOCTYPE m [<!ENTITY x "y">]>',
    '<?x?>',
    '<!--',
    '-->',
    '<a>',
    '</file>',
    '<file name="disk.qcow2">',
  ),
  fc.constantFrom(
    '__proto__',
    '<constructor/>',
    '<url xmlns="">',
    'xmlns:x="urn:y"',
    '<size>1</size>',
    '<hash>',
    '<url>',
  ),
  fc.constantFrom('priority="0"', 'preference="-1"', 'length="1"', 'piece="9"', '-', '9999999999', '.', 'e5', '\u20ac'),
);

interface Change {
  at: number;
  cut: number;
  inserted: string;
  /** Where else the cut text goes to. */
  movedTo: number | undefined;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(1_000),
  cut: fc.nat(40),
  inserted: fragment,
  movedTo: fc.option(fc.nat(1_000), { nil: undefined }),
});

function apply(document: string, { at, cut, inserted, movedTo }: Change): string {
  const taken = document.slice(at, at + cut);
  const changed = document.slice(0, at) + inserted + document.slice(at + cut);
  return movedTo === undefined ? changed : changed.slice(0, movedTo) + taken + changed.slice(movedTo);
}

function expectValid(file: MetalinkFile): void {
  const urls = file.tiers.flatMap((tier) => tier.urls);
  expect(urls.length + file.metaurls.length).toBeGreaterThan(0);
  expect(new Set(urls).size).toBe(urls.length);
  for (const url of urls) expect(new URL(url).protocol).toMatch(/^(https?|nfs):$/);
  for (const [index, { priority, location = 'xx' }] of file.tiers.entries()) {
    expect(Number.isInteger(priority) && priority >= 1 && priority <= 999_999).toBe(true);
    expect(priority).toBeGreaterThanOrEqual(file.tiers[index - 1]?.priority ?? 1);
    expect(location).toMatch(/^[a-z]{2}$/);
  }
  for (const { value } of file.digests) expect(value).toMatch(/^[0-9a-f]{32,128}$/);
  if (!file.pieces) return;
  expect(file.pieces.values).toHaveLength(Math.ceil((file.sizeBytes ?? NaN) / file.pieces.lengthBytes));
  for (const value of file.pieces.values) expect(value).toMatch(/^[0-9a-f]{32,128}$/);
}

function readOrRefused(document: string | Buffer): void {
  let file: MetalinkFile;
  try {
    file = parseMetalink(document, {
      documentUrl: 'https://origin.example/d.meta4',
      format: 'QCOW2',
      mirrorLocations: ['us'],
    });
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    expect(error.code).toMatch(/^SLIPWAY_METALINK_/);
    expect(error.message).toMatch(/^[^\p{Cc}]{1,800}$/u);
    return;
  }
  expectValid(file);
}

describe.each([
  ['version 4', VERSION_4],
  ['version 3', VERSION_3],
])('a document of %s', (_version, original) => {
  it('should be valid as it is', () => {
    const file = parseMetalink(original, { documentUrl: 'https://o.example/', format: 'QCOW2', mirrorLocations: [] });
    expectValid(file);
    expect(file.pieces?.values).toHaveLength(2);
  });

  it('should be read or refused with one of its errors, however it is changed', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) =>
        readOrRefused(changes.reduce(apply, original)),
      ),
      { numRuns: 1_000 },
    );
  });

  it('should be read or refused whatever its bytes are', () => {
    const bytes = Buffer.from(original);
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 8 }), (at, inserted) =>
        readOrRefused(Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + inserted.length)])),
      ),
      { numRuns: 500 },
    );
  });
});
