import { SlipwayError } from '../../shared/errors.js';

/** Section numbers are those of APPNOTE.TXT 6.3.10, the description of the format. */
const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const ZIP64_DIRECTORY_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_EXTRA = 1;

const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_ENTRY_BYTES = 46;
const DIRECTORY_END_BYTES = 22;
const ZIP64_DIRECTORY_END_BYTES = 56;
const ZIP64_LOCATOR_BYTES = 20;
const MAX_DESCRIPTOR_BYTES = 24;
const MAX_FIELD_BYTES = 0xffff;

/** The longest local header. */
export const MAX_ZIP_HEAD_BYTES = LOCAL_HEADER_BYTES + 2 * MAX_FIELD_BYTES;

/** The most that can follow the data of an only member: descriptor, directory with one entry, its end with a comment. */
export const MAX_ZIP_TAIL_BYTES =
  MAX_DESCRIPTOR_BYTES +
  DIRECTORY_ENTRY_BYTES +
  3 * MAX_FIELD_BYTES +
  ZIP64_DIRECTORY_END_BYTES +
  ZIP64_LOCATOR_BYTES +
  DIRECTORY_END_BYTES +
  MAX_FIELD_BYTES;

const ENCRYPTED = 1 << 0;
const HAS_DESCRIPTOR = 1 << 3;
const STORED = 0;
const DEFLATED = 8;

interface Sizes {
  packedBytes: number;
  unpackedBytes: number;
}

/** What stands before the data of a member, and again in the directory. */
export interface ZipMember extends Sizes {
  name: Buffer;
  hasDescriptor: boolean;
  isStored: boolean;
  crc32: number;
}

export interface FirstMember extends ZipMember {
  /** Where its data begins. */
  dataOffset: number;
}

const corrupt = (reason: string): SlipwayError =>
  new SlipwayError('SLIPWAY_UNPACK_CORRUPT', `The zip file cannot be unpacked: ${reason}`);
const notOne = (reason: string): SlipwayError =>
  new SlipwayError('SLIPWAY_UNPACK_MEMBERS', `The zip file must have one member, which is a file: ${reason}`);

/**
 * Reads the header of the member that a zip file begins with.
 *
 * @param head MAX_ZIP_HEAD_BYTES of the file, or all of it
 * @throws SlipwayError SLIPWAY_UNPACK_CORRUPT, SLIPWAY_UNPACK_MEMBERS, SLIPWAY_IMAGE_ENCRYPTED
 */
export function parseFirstMember(head: Buffer): FirstMember {
  const signature = head.length >= 4 ? head.readUInt32LE(0) : 0;
  if (signature === DIRECTORY_END) throw notOne('it has none');
  if (signature !== LOCAL_HEADER) throw corrupt('it is a part of a split one');
  if (head.length < LOCAL_HEADER_BYTES) throw corrupt('it ends in the header of its member');
  const nameEnd = LOCAL_HEADER_BYTES + head.readUInt16LE(26);
  const dataOffset = nameEnd + head.readUInt16LE(28);
  if (head.length < dataOffset) throw corrupt('it ends in the header of its member');
  const name = head.subarray(LOCAL_HEADER_BYTES, nameEnd);
  // 4.4.4, 4.4.5, 4.4.7 to 4.4.9
  return { ...parseMember(head.subarray(6), 12, name, head.subarray(nameEnd, dataOffset)), dataOffset };
}

/** @param fields from the flags on; sizes are `sizesAt` bytes behind them */
function parseMember(fields: Buffer, sizesAt: number, name: Buffer, extra: Buffer): ZipMember {
  const flags = fields.readUInt16LE(0);
  const method = fields.readUInt16LE(2);
  if (flags & ENCRYPTED) throw new SlipwayError('SLIPWAY_IMAGE_ENCRYPTED', 'The member of the zip file is encrypted');
  if (name.at(-1) === 0x2f) throw notOne('it has a directory');
  if (method !== STORED && method !== DEFLATED) {
    throw corrupt(`its member is compressed with method ${method}, and only deflate is known here`);
  }
  const sizes = { packedBytes: fields.readUInt32LE(sizesAt), unpackedBytes: fields.readUInt32LE(sizesAt + 4) };
  return {
    ...withZip64(sizes, extra),
    name,
    hasDescriptor: (flags & HAS_DESCRIPTOR) !== 0,
    isStored: method === STORED,
    crc32: fields.readUInt32LE(sizesAt - 4),
  };
}

/** 4.5.3: sizes that do not fit are in an extra field, in this order. */
function withZip64({ packedBytes, unpackedBytes }: Sizes, extra: Buffer): Sizes {
  let rest = extraField(extra, ZIP64_EXTRA);
  const fitting = (bytes: number): number => {
    if (bytes !== 0xffffffff || rest.length < 8) return bytes;
    const value = readUInt64(rest, 0);
    rest = rest.subarray(8);
    return value;
  };
  const unpacked = fitting(unpackedBytes);
  return { unpackedBytes: unpacked, packedBytes: fitting(packedBytes) };
}

function extraField(extra: Buffer, id: number): Buffer {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, end);
    at = end;
  }
  return Buffer.alloc(0);
}

/** Beyond 2 ** 53 the number is not exact, and too large for any file. */
const readUInt64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

/**
 * Reads the directory of a zip file, and checks it against the member that the file begins with: other programs believe
 * the directory, and both must mean the same one.
 *
 * @param tail MAX_ZIP_TAIL_BYTES from the end of the file, or all of it
 * @param tailOffset where `tail` begins
 * @throws SlipwayError SLIPWAY_UNPACK_CORRUPT, SLIPWAY_UNPACK_MEMBERS, SLIPWAY_IMAGE_ENCRYPTED
 */
export function parseOnlyMember(tail: Buffer, tailOffset: number, first: FirstMember): ZipMember {
  const { entries, at, length, end } = parseDirectoryEnd(tail, tailOffset);
  if (entries !== 1) throw notOne(entries === 0 ? 'its directory has none' : `it has ${entries}`);
  const entry = tail.subarray(Math.max(0, at - tailOffset), end - tailOffset);
  if (at < tailOffset || at + length !== end || !isAt(entry, 0, DIRECTORY_ENTRY, DIRECTORY_ENTRY_BYTES)) {
    throw corrupt('its directory is not where it should be');
  }
  const nameEnd = DIRECTORY_ENTRY_BYTES + entry.readUInt16LE(28);
  const extraEnd = nameEnd + entry.readUInt16LE(30);
  if (extraEnd + entry.readUInt16LE(32) !== entry.length) throw notOne('its directory has more');
  const name = entry.subarray(DIRECTORY_ENTRY_BYTES, nameEnd);
  const member = parseMember(entry.subarray(8), 12, name, entry.subarray(nameEnd, extraEnd));
  if (entry.readUInt32LE(42) !== 0 || !isSame(first, member)) {
    throw corrupt('its directory tells of another member than the one it begins with');
  }
  const descriptorBytes = at - first.dataOffset - member.packedBytes;
  // 4.3.9: with or without a signature, and with sizes of 4 or 8 bytes.
  const known = first.hasDescriptor ? [12, 16, 20, 24] : [0];
  if (!known.includes(descriptorBytes)) throw notOne('it has bytes that belong to no member of its directory');
  return member;
}

/** A member with a descriptor behind it may know its sizes only there. */
function isSame(first: FirstMember, member: ZipMember): boolean {
  if (!first.name.equals(member.name) || first.isStored !== member.isStored) return false;
  if (first.hasDescriptor) return true;
  return (
    first.crc32 === member.crc32 &&
    first.packedBytes === member.packedBytes &&
    first.unpackedBytes === member.unpackedBytes
  );
}

const isAt = (bytes: Buffer, at: number, signature: number, length: number): boolean =>
  at >= 0 && at + length <= bytes.length && bytes.readUInt32LE(at) === signature;

interface DirectoryEnd {
  entries: number;
  /** Where the directory is said to begin, to be long, and where it has to end. */
  at: number;
  length: number;
  end: number;
}

function parseDirectoryEnd(tail: Buffer, tailOffset: number): DirectoryEnd {
  const at = findDirectoryEnd(tail);
  if (at === undefined) throw corrupt('it does not end with a directory');
  const zip64 = at - ZIP64_LOCATOR_BYTES - ZIP64_DIRECTORY_END_BYTES;
  const hasZip64 =
    isAt(tail, at - ZIP64_LOCATOR_BYTES, ZIP64_LOCATOR, ZIP64_LOCATOR_BYTES) &&
    isAt(tail, zip64, ZIP64_DIRECTORY_END, ZIP64_DIRECTORY_END_BYTES);
  if (hasZip64) {
    return {
      entries: readUInt64(tail, zip64 + 32),
      length: readUInt64(tail, zip64 + 40),
      at: readUInt64(tail, zip64 + 48),
      end: tailOffset + zip64,
    };
  }
  const end = tailOffset + at;
  const length = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  return {
    entries: tail.readUInt16LE(at + 10),
    length,
    // Info-ZIP that is forced to zip64 says that the offset is there, and leaves it out.
    at: offset === 0xffffffff ? end - length : offset,
    end,
  };
}

/** It is followed by a comment of which it tells the length. */
function findDirectoryEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - DIRECTORY_END_BYTES; at >= 0; at--) {
    if (!isAt(tail, at, DIRECTORY_END, DIRECTORY_END_BYTES)) continue;
    if (at + DIRECTORY_END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return undefined;
}
