import { XMLValidator } from 'fast-xml-parser';
import { buildCdromXml, buildDomainXml, readCdrom, readDomainMark, type DomainDescription } from './domain-xml.js';

const DESCRIPTION: DomainDescription = {
  mark: { installationId: 'installation-1', hostId: 'host-1', vmId: '6f5e4d3c-0000-4000-8000-000000000001', token: 7 },
  domainType: 'qemu',
  arch: 'x86_64',
  name: 'i-2-1-VM',
  title: 'web server',
  cpus: 2,
  memoryBytes: 536_870_912,
  disk: { path: '/pool/volume', backing: { path: '/pool/template', format: 'qcow2' } },
  iso: null,
  bootsFromIso: false,
  seed: null,
  nics: [],
  vncPassword: 'secret',
  consolePath: '/console/vm.log',
  hasDacDriver: true,
};

test('should carry a mark that is read back', () => {
  expect(readDomainMark(buildDomainXml(DESCRIPTION))).toEqual(DESCRIPTION.mark);
});

test.each([
  ['markup', `</title><devices><disk type="file"><source file='/etc/shadow'/></disk></devices><title>`],
  ['a quote', `it's "quoted" & <b>bold</b>`],
  ['a second mark', `<slipway:domain xmlns:slipway="urn:slipway:domain:1" host="other"/>`],
  ['control characters', 'a\u0000b\u001b[31m\uFFFF\uD800'],
  ['two lines', 'first\nsecond'],
])('should stay one title when the name has %s', (_name, title) => {
  const xml = buildDomainXml({ ...DESCRIPTION, title });
  expect(XMLValidator.validate(xml)).toBe(true);
  expect(xml.match(/<disk /g)).toHaveLength(2);
  expect(xml.match(/<title>[^<\n]*<\/title>/g)).toHaveLength(1);
  // oxlint-disable-next-line no-control-regex -- these characters are what must not be there
  expect(xml).not.toMatch(/[\u0000-\u0009\u000b-\u001f\uFFFF]/);
  expect(readDomainMark(xml)).toEqual(DESCRIPTION.mark);
});

test('should keep the template below the disk out of reach of ownership changes, where libvirt makes them', () => {
  expect(buildDomainXml(DESCRIPTION)).toContain('<seclabel model="dac" relabel="no"/>');
  expect(buildDomainXml({ ...DESCRIPTION, hasDacDriver: false })).not.toContain('seclabel');
});

test.each([
  ['x86_64', 'machine="q35"', 'firmware'],
  ['aarch64', 'firmware="efi"', 'q35'],
])('should boot %s the way it can', (arch, present, absent) => {
  const xml = buildDomainXml({ ...DESCRIPTION, arch });
  expect(xml).toContain(present);
  expect(xml).not.toContain(absent);
});

test.each([
  ['x86_64', 'sata', 'vga'],
  ['aarch64', 'scsi', 'virtio'],
] as const)('should give %s the drive and the display that it has', (arch, bus, video) => {
  const xml = buildDomainXml({ ...DESCRIPTION, arch, iso: '/pool/iso' });
  expect(readCdrom(xml)).toEqual({ bus, iso: '/pool/iso' });
  expect(xml).toContain(`<video><model type="${video}"/></video>`);
  expect(xml.includes('<controller type="scsi" model="virtio-scsi"/>')).toBe(bus === 'scsi');
});

test.each([
  [false, ['hd', 'cdrom']],
  [true, ['cdrom', 'hd']],
])('should try the ISO first: %s', (bootsFromIso, order) => {
  const xml = buildDomainXml({ ...DESCRIPTION, bootsFromIso });
  expect([...xml.matchAll(/<boot dev="(\w+)"/g)].map(([, device]) => device)).toEqual(order);
});

test('should let nobody write to an ISO, nor change its owner', () => {
  const xml = buildCdromXml('/pool/iso', 'sata', true);
  expect(xml).toContain('<readonly/>');
  expect(xml).toContain('<source file="/pool/iso"><seclabel model="dac" relabel="no"/></source>');
  expect(buildCdromXml('/pool/iso', 'sata', false)).not.toContain('seclabel');
  expect(buildCdromXml(null, 'sata', true)).not.toContain('source');
});

test.each([
  ['an empty drive', cdrom(''), { bus: 'sata', iso: null }],
  ['a disc', cdrom('<source file="/pool/a&amp;b"/>'), { bus: 'sata', iso: '/pool/a&b' }],
  [
    'no drive',
    '<domain><devices><disk device="disk"><target dev="vda" bus="virtio"/></disk></devices></domain>',
    undefined,
  ],
  ['no devices', '<domain/>', undefined],
])('should read %s', (_name, xml, expected) => {
  expect(readCdrom(xml)).toEqual(expected);
});

function cdrom(source: string): string {
  const other = '<disk device="disk"><source file="/pool/disk"/><target dev="vda" bus="virtio"/></disk>';
  return `<domain><devices>${other}<disk device="cdrom">${source}<target dev="sda" bus="sata"/></disk></devices></domain>`;
}

test.each([
  ['no metadata', '<domain><name>x</name></domain>'],
  ['the namespace in its description only', '<domain><description>urn:slipway:domain:1</description></domain>'],
  ['another namespace', mark('urn:slipway:domain:2')],
  ['a token that is no number', mark('urn:slipway:domain:1', 'token="x"')],
  ['an incomplete mark', mark('urn:slipway:domain:1', '')],
])('should find no mark in a domain with %s', (_name, xml) => {
  expect(readDomainMark(xml)).toBeUndefined();
});

function mark(namespace: string, token = 'token="1"'): string {
  const attributes = `xmlns:slipway="${namespace}" installation="i" host="h" vm="v" ${token}`;
  return `<domain><metadata><slipway:domain ${attributes}/><!-- urn:slipway:domain:1 --></metadata></domain>`;
}
