import type { ImageFormat } from '../../shared/images.js';
import { tarMark } from './tar-mark.js';

/** What a file's bytes say that it is. */
export interface Mark {
  /** For a person, with its article. */
  name: string;
  /** Absent when it is none of the formats that are installed. */
  format?: ImageFormat;
}

/** So many bytes from the start of a file, and the last 512, are enough to know it, and to judge its header. */
export const HEAD_BYTES = 64 * 1024;
export const TAIL_BYTES = 512;

interface Signature extends Mark {
  offset: number;
  bytes: Buffer;
}

const signature = (name: string, text: string, offset = 0, format?: ImageFormat): Signature => ({
  name,
  offset,
  bytes: Buffer.from(text, 'latin1'),
  ...(format && { format }),
});

const QCOW2 = 'a qcow2 image';
const ISO = 'an ISO image';
const VHD = 'a VHD image';

const AT_START: readonly Signature[] = [
  signature('a QED image', 'QED\0'),
  signature('a VMDK image', 'KDMV'),
  signature('a VMDK image', 'COWD'),
  signature('a VMDK descriptor', '# Disk DescriptorFile'),
  signature(VHD, 'conectix'),
  signature('a VHDX image', 'vhdxfile'),
  signature('a VDI image', '\x7f\x10\xda\xbe', 0x40),
  signature('a Parallels image', 'WithoutFreeSpace'),
  signature('a Parallels image', 'WithouFreSpacExt'),
  signature('a Bochs image', 'Bochs Virtual HD Image'),
  signature('a cloop image', '#!/bin/sh\n#V2.0 Format\n'),
  signature('a LUKS volume', 'LUKS\xba\xbe'),
  signature('xz data', '\xfd7zXZ\0'),
  signature('zstd data', '\x28\xb5\x2f\xfd'),
  signature('lz4 data', '\x04\x22\x4d\x18'),
  signature('lzip data', 'LZIP\x01'),
  signature('lzop data', '\x89LZO\0\r\n\x1a\n'),
  signature('a zip archive', 'PK\x03\x04'),
  signature('a zip archive', 'PK\x05\x06'),
  signature('a 7z archive', '7z\xbc\xaf\x27\x1c'),
  signature('a RAR archive', 'Rar!\x1a\x07'),
  signature('a Linux program', '\x7fELF'),
  signature('a PDF document', '%PDF-'),
  signature(ISO, 'CD001', 0x8001, 'ISO'),
  // The beginning of a volume recognition sequence that ISO 9660 has no part in.
  signature('a UDF image without ISO 9660', 'BEA01', 0x8001),
];

/** A fixed VHD and a disk image of macOS have only a footer. */
const AT_END: readonly Signature[] = [signature(VHD, 'conectix'), signature('a dmg image', 'koly')];

const GZIP = signature('gzip data', '\x1f\x8b\x08');
/** What follows the level: a block, or the end of empty data. */
const BZIP2_BLOCKS = new Set(['1AY&SY', '\x17rE8P\x90']);

const MARKUP = /^\s*<(!doctype|html|head|body|\?xml|!--|metalink)/i;
/** QEMU's own rule for a VMDK descriptor: comments, then a version. */
const VMDK_DESCRIPTOR = /^(#[^\n]*\n|[ \t]*\r?\n)*version=[123]\s/;

const holds = (bytes: Buffer, { offset, bytes: wanted }: Signature): boolean =>
  bytes.subarray(offset, offset + wanted.length).equals(wanted);

/**
 * All that a file can be taken for; nothing for what can only be a raw disk.
 *
 * @param head its first HEAD_BYTES
 * @param tail its last TAIL_BYTES
 */
export function contentMarks(head: Buffer, tail: Buffer): Mark[] {
  const marks: (Mark | undefined)[] = [
    qcowMark(head),
    ...AT_START.filter((candidate) => holds(head, candidate)),
    compressedMark(head),
    tarMark(head),
    ...AT_END.filter((candidate) => holds(tail, candidate)),
  ];
  const found = new Map(marks.flatMap((mark) => (mark ? [[mark.name, mark]] : [])));
  const text = found.size === 0 ? textMark(head) : undefined;
  return [...found.values(), ...(text ? [text] : [])].map(({ name, format }) => ({ name, ...(format && { format }) }));
}

function qcowMark(head: Buffer): Mark | undefined {
  if (head.toString('latin1', 0, 4) !== 'QFI\xfb') return undefined;
  return head.length >= 8 && head.readUInt32BE(4) === 1
    ? { name: 'a qcow image of version 1' }
    : { name: QCOW2, format: 'QCOW2' };
}

/** Formats whose signature is so short that a raw disk of random bytes could begin with it. */
function compressedMark(head: Buffer): Mark | undefined {
  const isGzip = holds(head, GZIP) && (head[3] ?? 0xff) < 0x20;
  if (isGzip) return { name: GZIP.name };
  const start = head.toString('latin1', 0, 10);
  const isBzip2 = start.startsWith('BZh') && BZIP2_BLOCKS.has(start.slice(4));
  return isBzip2 ? { name: 'bzip2 data' } : undefined;
}

/** A captive portal's page, a mirror's excuse, a checksum file: no disk begins with a whole sector of text. */
function textMark(head: Buffer): Mark | undefined {
  const start = head.toString('latin1', 0, 2048).replace(/^\xef\xbb\xbf/, '');
  if (MARKUP.test(start)) return { name: 'an HTML or XML page' };
  if (VMDK_DESCRIPTOR.test(start)) return { name: 'a VMDK descriptor' };
  if (start !== '' && /^[\t\n\r\x20-\x7e]+$/.test(start.slice(0, 512))) return { name: 'text' };
  return undefined;
}
