import type { InputReader } from './input-reader.js';
import {
  type FirstMember,
  MAX_ZIP_HEAD_BYTES,
  MAX_ZIP_TAIL_BYTES,
  parseFirstMember,
  parseOnlyMember,
  type ZipMember,
} from './zip-headers.js';

/** RFC 1952, 2.3: deflate, no name, no time, unknown system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** RFC 1951, 3.2.4: the last block, which holds nothing. */
const LAST_BLOCK = Buffer.from([1, 0, 0, 0xff, 0xff]);
const MAX_BLOCK_BYTES = 0xffff;

/**
 * The only member of a zip file as a gzip file: both are deflated data with the same checksum behind it, so that one
 * fast and confined program unpacks both.
 */
export class ZipAsGzip {
  readonly #reader: InputReader;
  readonly #first: FirstMember;

  private constructor(reader: InputReader, first: FirstMember) {
    this.#reader = reader;
    this.#first = first;
  }

  /** @throws SlipwayError as `parseFirstMember` does; also as `parseOnlyMember` does, of a file that is whole already */
  static async open(reader: InputReader, signal: AbortSignal): Promise<ZipAsGzip> {
    const head = await reader.readFully(MAX_ZIP_HEAD_BYTES, 0, signal);
    const zip = new ZipAsGzip(reader, parseFirstMember(head));
    if (reader.isWhole) await zip.member(signal);
    return zip;
  }

  /**
   * The directory's entry, when the file is whole.
   *
   * @throws SlipwayError as `parseOnlyMember` does
   */
  async member(signal: AbortSignal): Promise<ZipMember> {
    const fileBytes = await this.#reader.whole(signal);
    const tailOffset = Math.max(0, fileBytes - MAX_ZIP_TAIL_BYTES);
    const tail = await this.#reader.readFully(fileBytes - tailOffset, tailOffset, signal);
    return parseOnlyMember(tail, tailOffset, this.#first);
  }

  /** Each piece is gone when the next is asked for. */
  async *pieces(buffer: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
    yield GZIP_HEADER;
    for await (const data of this.#data(buffer, signal)) {
      if (this.#first.isStored) yield* storedBlocks(data);
      else yield data;
    }
    if (this.#first.isStored) yield LAST_BLOCK;
    const { crc32, unpackedBytes } = await this.member(signal);
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32, 0);
    trailer.writeUInt32LE(unpackedBytes % 2 ** 32, 4);
    yield trailer;
  }

  /** Only the directory tells for sure where the data ends: what may be behind it waits until the file is whole. */
  async *#data(buffer: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
    let position = this.#first.dataOffset;
    while (!this.#reader.isWhole) {
      const count = await this.#reader.read(buffer, position, signal, MAX_ZIP_TAIL_BYTES);
      if (count > 0) yield buffer.subarray(0, count);
      position += count;
    }
    const end = this.#first.dataOffset + (await this.member(signal)).packedBytes;
    while (position < end) {
      const count = await this.#reader.read(buffer.subarray(0, end - position), position, signal);
      yield buffer.subarray(0, count);
      position += count;
    }
  }
}

/** Data that is not compressed, as a part of deflated data. */
function* storedBlocks(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += MAX_BLOCK_BYTES) {
    const block = data.subarray(at, at + MAX_BLOCK_BYTES);
    const header = Buffer.alloc(5);
    header.writeUInt16LE(block.length, 1);
    header.writeUInt16LE(block.length ^ 0xffff, 3);
    yield header;
    yield block;
  }
}
