import { SlipwayError } from '../../shared/errors.js';
import type { Compression } from '../../shared/images.js';
import { BZIP2_ENDING_BYTES, endsAsBzip2 } from './bzip2-ending.js';
import type { InputReader } from './input-reader.js';
import { ZipAsGzip } from './zip-as-gzip.js';

/** What a socket to a program takes at once, and not much more. */
const PIECE_BYTES = 256 * 1024;

/** What is given to a decompressor, and what it cannot check. */
export interface PackedStream {
  /** In order. Each is gone when the next is asked for. */
  pieces: (signal: AbortSignal) => AsyncIterable<Buffer>;
  /**
   * Waits for the whole file.
   *
   * @param outputBytes what it was unpacked to; undefined if that failed
   * @throws SlipwayError SLIPWAY_UNPACK_CORRUPT, SLIPWAY_UNPACK_MEMBERS, SLIPWAY_IMAGE_ENCRYPTED
   */
  verify(outputBytes: number | undefined, signal: AbortSignal): Promise<void>;
}

/** @throws SlipwayError as `verify` does */
export async function openPackedStream(
  compression: Compression,
  reader: InputReader,
  signal: AbortSignal,
): Promise<PackedStream> {
  if (compression === 'zip') return zipStream(await ZipAsGzip.open(reader, signal));
  return {
    pieces: (until) => wholeFile(reader, until),
    verify: async (outputBytes, until) => {
      if (compression === 'bzip2' && outputBytes !== undefined) await verifyBzip2(reader, until);
    },
  };
}

async function* wholeFile(reader: InputReader, signal: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let position = 0; ;) {
    const count = await reader.read(buffer, position, signal);
    if (count === 0) return;
    yield buffer.subarray(0, count);
    position += count;
  }
}

async function verifyBzip2(reader: InputReader, signal: AbortSignal): Promise<void> {
  const fileBytes = await reader.whole(signal);
  const tailOffset = Math.max(0, fileBytes - BZIP2_ENDING_BYTES);
  const tail = await reader.readFully(fileBytes - tailOffset, tailOffset, signal);
  if (endsAsBzip2(tail)) return;
  throw new SlipwayError('SLIPWAY_UNPACK_CORRUPT', 'The file cannot be unpacked: it does not end where its data ends');
}

function zipStream(zip: ZipAsGzip): PackedStream {
  return {
    pieces: (signal) => zip.pieces(Buffer.allocUnsafe(PIECE_BYTES), signal),
    verify: async (outputBytes, signal) => {
      // Also when unpacking failed: of a second member the decompressor only knows that it is no end.
      const { unpackedBytes } = await zip.member(signal);
      if (outputBytes === undefined || outputBytes === unpackedBytes) return;
      throw new SlipwayError(
        'SLIPWAY_UNPACK_CORRUPT',
        `The zip file cannot be unpacked: it has ${outputBytes} bytes and tells of ${unpackedBytes}`,
      );
    },
  };
}
