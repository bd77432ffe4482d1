import { bootSector } from '../../demo/boot-disk.js';
import { contentMarks } from './content-marks.js';
import { headOf, iso, qcow2, raw, tarHeader, withPieces } from './image-builder.js';

const NO_TAIL = Buffer.alloc(512);
const sector = (text: string | Buffer, offset = 0): Buffer => headOf(raw(512, [offset, text]));

test.each<[string, Buffer]>([
  ['a QED image', sector('QED\0')],
  ['a VMDK image', sector('KDMV')],
  ['a VMDK descriptor', sector('# Disk DescriptorFile\nversion=1\n')],
  ['a VMDK descriptor', sector('# a comment\r\n \nversion=3\n')],
  ['a VHD image', sector('conectix')],
  ['a VHDX image', sector('vhdxfile')],
  ['a VDI image', sector('\x7f\x10\xda\xbe', 0x40)],
  ['a LUKS volume', sector('LUKS\xba\xbe')],
  ['a qcow image of version 1', sector('QFI\xfb\0\0\0\x01')],
  ['gzip data', sector('\x1f\x8b\x08\x08')],
  ['xz data', sector('\xfd7zXZ\0')],
  ['zstd data', sector('\x28\xb5\x2f\xfd')],
  ['bzip2 data', sector('BZh91AY&SY')],
  ['bzip2 data', sector('BZh9\x17rE8P\x90')],
  ['a zip archive', sector('PK\x03\x04')],
  ['a tar archive', tarHeader('disk.img')],
  ['a tar archive', tarHeader('disk.img', '')],
  ['an OVA archive', tarHeader('appliance.ovf')],
  ['an XVA archive', tarHeader('ova.xml', '')],
  ['an HTML or XML page', sector('\xef\xbb\xbf\r\n <!DOCTYPE html>')],
  ['an HTML or XML page', sector('<html><body>Please log in')],
  ['an HTML or XML page', Buffer.from('<metalink xmlns="urn:ietf:params:xml:ns:metalink">')],
  ['text', Buffer.from('404 page not found\n')],
])('should recognise %s', (name, head) => {
  expect(contentMarks(head, NO_TAIL)).toEqual([{ name }]);
});

test('should recognise what can be installed', () => {
  expect(contentMarks(headOf(qcow2()), NO_TAIL)).toEqual([{ name: 'a qcow2 image', format: 'QCOW2' }]);
  expect(contentMarks(headOf(iso()), NO_TAIL)).toEqual([{ name: 'an ISO image', format: 'ISO' }]);
});

test.each([
  ['a VHD image', 'conectix'],
  ['a dmg image', 'koly'],
])('should recognise %s by its footer', (name, text) => {
  expect(contentMarks(Buffer.alloc(512), sector(text))).toEqual([{ name }]);
});

test('should name once what is marked twice', () => {
  expect(contentMarks(sector('conectix'), sector('conectix'))).toEqual([{ name: 'a VHD image' }]);
});

test('should name all that a file can be taken for', () => {
  const names = contentMarks(headOf(withPieces(iso(), [0, 'KDMV'])), sector('koly')).map(({ name }) => name);
  expect(names).toEqual(['a VMDK image', 'an ISO image', 'a dmg image']);
});

test.each<[string, Buffer]>([
  ['zeros', Buffer.alloc(512)],
  ['nothing', Buffer.alloc(0)],
  ['a boot sector', bootSector('nonce')],
  ['less than a sector', Buffer.from([0xeb])],
  ['a boot sector with messages', sector('\xeb\x3c\x90MSDOS5.0 Missing operating system')],
  ['random bytes that begin like gzip', sector('\x1f\x8b\x77\x12')],
  ['random bytes that begin like bzip2', sector('BZhello')],
])('should take %s for a raw disk', (_name, head) => {
  expect(contentMarks(head, NO_TAIL)).toEqual([]);
});
