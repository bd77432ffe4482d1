import { bootSector } from '../../demo/boot-disk.js';
import { foreignContainer } from './foreign-container.js';

const NO_TAIL = Buffer.alloc(512);

function sector(bytes: string | Buffer, offset = 0): Buffer {
  const result = Buffer.alloc(512);
  result.set(Buffer.from(bytes as string, 'latin1'), offset);
  return result;
}

test.each<[string, Buffer]>([
  ['a qcow image', sector('QFI\xfb\0\0\0\x03')],
  ['a QED image', sector('QED\0')],
  ['a VMDK image', sector('KDMV')],
  ['a VMDK descriptor', sector('# Disk DescriptorFile\nversion=1\n')],
  ['a VHD image', sector('conectix')],
  ['a VHDX image', sector('vhdxfile')],
  ['a VDI image', sector('\x7f\x10\xda\xbe', 0x40)],
  ['a LUKS volume', sector('LUKS\xba\xbe')],
  ['gzip data', sector('\x1f\x8b\x08')],
  ['xz data', sector('\xfd7zXZ\0')],
  ['zstd data', sector('\x28\xb5\x2f\xfd')],
  ['bzip2 data', sector('BZh9')],
  ['a zip archive', sector('PK\x03\x04')],
  ['a tar archive', sector('ustar', 257)],
  ['an HTML or XML page', sector('\xef\xbb\xbf\r\n <!DOCTYPE html>')],
  ['an HTML or XML page', sector('<html><body>Please log in')],
])('should recognise %s', (name, head) => {
  expect(foreignContainer(head, NO_TAIL)).toBe(name);
});

test('should recognise a fixed VHD by its footer', () => {
  expect(foreignContainer(Buffer.alloc(512), sector('conectix'))).toBe('a VHD image');
});

test.each<[string, Buffer]>([
  ['zeros', Buffer.alloc(512)],
  ['a boot sector', bootSector('nonce')],
  ['less than a sector', Buffer.from('x')],
])('should take %s for a raw disk', (_name, head) => {
  expect(foreignContainer(head, NO_TAIL)).toBeUndefined();
});
