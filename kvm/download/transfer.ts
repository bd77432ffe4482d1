import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import { statusFailure } from './classify-failure.js';
import type { HttpClient } from './http-client.js';
import type { HashingFile } from './hashing-file.js';
import type { ByteSink } from './http-exchange.js';
import type { PartialDownload } from './partial-download.js';
import { planRequest, planResponse, type Held } from './transfer-plan.js';

export interface TransferRules {
  hasVouchedDigest: boolean;
  expectedSizeBytes?: number | undefined;
  maxSizeBytes: number;
}

const heldBy = (partial: PartialDownload, rules: TransferRules): Held => ({
  ...rules,
  bytes: partial.file.acceptedBytes,
  identity: partial.identity,
});

/** Skips what is on disk already, and stops a body that is longer than it may be at the first byte too many. */
function limitedSink(
  target: HashingFile,
  skipBytes: number,
  check: (bytes: number) => void,
  onReceived: (bytes: number) => void,
): ByteSink {
  let toSkip = skipBytes;
  return {
    write(chunk) {
      onReceived(chunk.length);
      const skipped = Math.min(toSkip, chunk.length);
      toSkip -= skipped;
      const bytes = chunk.subarray(skipped);
      if (bytes.length === 0) return true;
      check(target.acceptedBytes + bytes.length);
      return target.write(bytes);
    },
    whenWritable: () => target.whenWritable(),
    direct: {
      reserve: () => (toSkip > 0 ? undefined : target.direct.reserve()),
      commit(bytes) {
        onReceived(bytes);
        check(target.acceptedBytes + bytes);
        target.direct.commit(bytes);
      },
    },
  };
}

function checkLength(sourceUrl: string, rules: TransferRules, totalBytes: number | undefined): (bytes: number) => void {
  const announcedBytes = totalBytes ?? rules.expectedSizeBytes;
  return (bytes) => {
    if (announcedBytes !== undefined && bytes > announcedBytes) {
      throw new SlipwayError(
        'SLIPWAY_SOURCE_SIZE',
        `${sourceUrl}: more than the announced ${announcedBytes} bytes came`,
      );
    }
    if (bytes > rules.maxSizeBytes) {
      throw new SlipwayError(
        'SLIPWAY_TEMPLATE_TOO_LARGE',
        `${sourceUrl}: more than the allowed ${rules.maxSizeBytes} bytes came`,
      );
    }
  };
}

/** Bytes that are held may only be skipped where they are: a page in place of the file is shorter. */
function checkSkipped(sourceUrl: string, skipBytes: number, arrivedBytes: number): void {
  if (arrivedBytes >= skipBytes) return;
  throw new SlipwayError(
    'SLIPWAY_SOURCE_SIZE',
    `${sourceUrl}: the file ended after ${arrivedBytes} bytes, and the source before had sent ${skipBytes}`,
  );
}

/** A body that ended in good order may still be too short: a proxy that gave up, or a lie about the size. */
function checkComplete(sourceUrl: string, rules: TransferRules, bytes: number, totalBytes: number | undefined): void {
  if (totalBytes !== undefined && bytes < totalBytes) {
    throw new SlipwayError(
      'SLIPWAY_SOURCE_INTERRUPTED',
      `${sourceUrl}: the transfer ended after ${bytes} of ${totalBytes} bytes`,
    );
  }
  const { expectedSizeBytes } = rules;
  if (expectedSizeBytes !== undefined && bytes !== expectedSizeBytes) {
    throw new SlipwayError(
      'SLIPWAY_SOURCE_SIZE',
      `${sourceUrl}: ${bytes} bytes came, and ${expectedSizeBytes} were announced`,
    );
  }
}

/**
 * One try at one source: resolves when the file is complete, continuing at the byte that is held where the rules
 * allow it.
 *
 * @throws SlipwayError of the source or of the pool; AbortError
 */
export async function transfer(
  client: HttpClient,
  url: string,
  partial: PartialDownload,
  rules: TransferRules,
  signal: AbortSignal,
  onReceived: (bytes: number) => void,
): Promise<void> {
  const sourceUrl = displayUrl(url);
  const held = heldBy(partial, rules);
  const range = planRequest(held, sourceUrl);
  const response = await client.get(url, signal, range);
  try {
    const isBeyondEnd = response.statusCode === 416 && range.fromByte > 0;
    const failure = isBeyondEnd
      ? undefined
      : statusFailure(response.url, response.statusCode, response.headers, Date.now());
    if (failure) throw failure;
    const plan = planResponse(held, sourceUrl, range, response.statusCode, response.headers);
    if (plan.isRestart) await partial.reset();
    partial.identity = plan.identity;
    const { totalBytes } = plan.identity;
    const keptBytes = partial.file.acceptedBytes;
    let arrivedBytes = 0;
    const countArrived = (bytes: number): void => {
      arrivedBytes += bytes;
      onReceived(bytes);
    };
    try {
      const check = checkLength(sourceUrl, rules, totalBytes);
      await response.pump(limitedSink(partial.file, plan.skipBytes, check, countArrived));
      checkSkipped(sourceUrl, plan.skipBytes, arrivedBytes);
      checkComplete(sourceUrl, rules, partial.file.acceptedBytes, totalBytes);
    } catch (error) {
      const isOtherFile = isSlipwayError(error) && error.code === 'SLIPWAY_SOURCE_SIZE';
      // The next source would continue it, and be blamed for what comes out.
      if (isOtherFile && partial.file.acceptedBytes > keptBytes) await partial.reset();
      throw error;
    }
  } catch (error) {
    response.discard();
    throw error;
  }
}
