/**
 * What a file really is when its first bytes are those of a container that a raw disk cannot begin with: a disk
 * registered as RAW that is a qcow2 would boot to nothing, and a captive portal's page is no disk at all.
 */
interface Signature {
  name: string;
  offset: number;
  bytes: Buffer;
}

const signature = (name: string, bytes: string | number[], offset = 0): Signature => ({
  name,
  offset,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes),
});

const SIGNATURES: readonly Signature[] = [
  signature('a qcow image', 'QFI\xfb'),
  signature('a QED image', 'QED\0'),
  signature('a VMDK image', 'KDMV'),
  signature('a VMDK image', 'COWD'),
  signature('a VMDK descriptor', '# Disk DescriptorFile'),
  signature('a VHD image', 'conectix'),
  signature('a VHDX image', 'vhdxfile'),
  signature('a VDI image', [0x7f, 0x10, 0xda, 0xbe], 0x40),
  signature('a Parallels image', 'WithoutFreeSpace'),
  signature('a Parallels image', 'WithouFreSpacExt'),
  signature('a LUKS volume', 'LUKS\xba\xbe'),
  signature('gzip data', [0x1f, 0x8b]),
  signature('xz data', '\xfd7zXZ\0'),
  signature('zstd data', [0x28, 0xb5, 0x2f, 0xfd]),
  signature('bzip2 data', 'BZh'),
  signature('a zip archive', 'PK\x03\x04'),
  signature('a zip archive', 'PK\x05\x06'),
  signature('a 7z archive', '7z\xbc\xaf\x27\x1c'),
  // An OVA is a tar archive.
  signature('a tar archive', 'ustar', 257),
];

const MARKUP = /^\s*<(!doctype|html|head|body|\?xml|!--)/i;

const holds = (bytes: Buffer, { offset, bytes: wanted }: Signature): boolean =>
  bytes.subarray(offset, offset + wanted.length).equals(wanted);

/**
 * Names the container that `head` (the first 512 bytes or more) or `tail` (the last 512 bytes: a fixed VHD has only a
 * footer) belongs to.
 */
export function foreignContainer(head: Buffer, tail: Buffer): string | undefined {
  const known = SIGNATURES.find((candidate) => holds(head, candidate));
  if (known) return known.name;
  if (MARKUP.test(head.toString('latin1', 0, 256).replace(/^\xef\xbb\xbf/, ''))) return 'an HTML or XML page';
  if (tail.subarray(0, 8).equals(Buffer.from('conectix'))) return 'a VHD image';
  return undefined;
}
