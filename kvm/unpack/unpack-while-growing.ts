import { isSlipwayError } from '../../shared/errors.js';
import type { Compression, Unpacked } from '../../shared/images.js';
import { type SpawnConfined, spawnConfined } from '../confined/spawn-confined.js';
import { abortError, throwIfAborted } from '../download/abort.js';
import { poolFailure } from '../download/file-io.js';
import { findTools } from './decompressors.js';
import { detectCompression, MAGIC_BYTES } from './detect-compression.js';
import type { GrowingFile } from './growing-file.js';
import { InputReader } from './input-reader.js';
import { OutputFile } from './output-file.js';
import { openPackedStream } from './packed-stream.js';
import { runTools } from './run-tools.js';
import type { UnpackLimits } from './unpack-limits.js';

export interface UnpackRequest {
  input: GrowingFile;
  /** Made anew with mode 0600; what is there is replaced. */
  outputPath: string;
  limits: UnpackLimits;
  signal: AbortSignal;
  /** Is told several times a second how far the unpacked file reaches. */
  onProgress?: (unpackedBytes: number) => void;
}

/** What unpacking takes from the host. */
interface UnpackHost {
  spawn?: SpawnConfined;
  /** Directories as in PATH. */
  searchPath?: string;
}

/**
 * Unpacks a file while it is downloaded. Its content alone tells whether it is packed, and in what. Zeros become holes
 * in the unpacked file, which is synced to disk.
 *
 * Whether a zip file has one member is known when it is whole: its errors may wait for that. All others come as soon as
 * they are found. They say what the bytes are, not why: if a hash of the packed file is wrong, that is the reason.
 *
 * @returns undefined for a file that is not packed: nothing was written then. After a failure nothing is left either
 * @throws SlipwayError SLIPWAY_UNPACK_*, SLIPWAY_IMAGE_ENCRYPTED, SLIPWAY_POOL_*; AbortError
 */
export async function unpackWhileGrowing(request: UnpackRequest, host: UnpackHost = {}): Promise<Unpacked | undefined> {
  const { input, signal } = request;
  throwIfAborted(signal);
  const reader = await InputReader.open(input);
  try {
    const compression = detectCompression(await reader.readFully(MAGIC_BYTES, 0, signal));
    if (!compression) return undefined;
    return { compression, sizeBytes: await unpack(compression, reader, request, host) };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw poolFailure(error);
  } finally {
    await reader.close();
  }
}

async function unpack(
  compression: Compression,
  reader: InputReader,
  { outputPath, limits, signal, onProgress }: UnpackRequest,
  { spawn = spawnConfined, searchPath = process.env['PATH'] ?? '' }: UnpackHost,
): Promise<number> {
  const tools = findTools(compression, searchPath);
  const stream = await openPackedStream(compression, reader, signal);
  const output = await OutputFile.create(outputPath);
  let isDone = false;
  try {
    const run = runTools({ tools, spawn, pieces: stream.pieces, output, limits, signal, onProgress });
    const unpackedBytes = await run.catch(async (error: unknown) => {
      const isOfContent = isSlipwayError(error) && error.code === 'SLIPWAY_UNPACK_CORRUPT';
      if (isOfContent) await stream.verify(undefined, signal);
      throw error;
    });
    await stream.verify(unpackedBytes, signal);
    await output.finish();
    throwIfAborted(signal);
    isDone = true;
    return unpackedBytes;
  } finally {
    await output.close();
    if (!isDone) await output.remove();
  }
}
