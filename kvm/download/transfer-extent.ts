import { SlipwayError } from '../../shared/errors.js';
import type { RateLimit } from './bandwidth.js';
import { EnoughBytes, ExtentSink } from './extent-sink.js';
import { judgeBody } from './judge-body.js';
import type { Lane } from './lane.js';
import type { Mirror } from './mirror.js';
import type { PartialDownload } from './partial-download.js';
import type { Extent, RangePlan } from './range-plan.js';
import type { ByteRange, SourceBody, SourceClient } from './source-client.js';
import { identityOf, validatorOf } from './source-identity.js';

/** What holds for every transfer of a download. */
export interface TransferRules {
  client: SourceClient;
  partial: PartialDownload;
  /** A hash will be compared, so that bytes of several mirrors may be joined. */
  isVouched: boolean;
  maxSizeBytes: number;
  limitsOf: (url: URL) => readonly RateLimit[];
}

export interface Transfer extends TransferRules {
  lane: Lane;
  extent: Extent;
  plan: RangePlan;
  /** No other lane is there: what sends everything for a part is better than nothing. */
  isAlone: boolean;
  signal: AbortSignal;
}

/** Asks for all bytes to be dropped, and the download to begin anew. */
export class BeginAnew extends Error {
  override readonly name = 'BeginAnew';
}

/**
 * Fetches an extent, and what the plan wants of the bytes behind it. The extent is released in any case.
 *
 * @throws SlipwayError of the source or of the pool; BeginAnew; AbortError
 */
export async function transferExtent(transfer: Transfer): Promise<void> {
  const { client, partial, plan, lane, extent, isAlone, maxSizeBytes, limitsOf, signal } = transfer;
  const { source } = lane;
  const range = rangeOf(transfer);
  let body: SourceBody | undefined;
  let sink: ExtentSink | undefined;
  try {
    body = await client.open(source.url, signal, range);
    judge(transfer, range, body);
    const { fromByte, bodyBytes, url } = body;
    if (fromByte !== range.fromByte && !isAlone) return;
    const endByte = bodyBytes === undefined ? undefined : fromByte + bodyBytes;
    // Nothing but the end of the body tells whether the file ends there.
    lane.isUndecided = endByte === undefined;
    sink = new ExtentSink(
      {
        shownUrl: source.shown,
        file: partial.file,
        plan,
        reader: lane,
        extent,
        fromByte,
        endByte,
        hasRanges: source.hasRanges,
        maxSizeBytes,
        limits: limitsOf(url),
        onReceived: (bytes) => lane.count(bytes),
        onTaken: (bytes) => (source.takenBytes += bytes),
      },
      signal,
    );
    if (await pumpAll(body, sink)) checkEnd(source, plan, sink.position, endByte);
  } finally {
    body?.discard();
    if (sink) await sink.close();
    else plan.release(extent, lane);
  }
}

function rangeOf({ lane, extent, plan, isVouched }: Transfer): ByteRange {
  const { hasRanges, identity } = lane.source;
  if (!hasRanges) return { fromByte: 0 };
  const { position, endByte } = extent;
  const isToEnd = endByte === (plan.totalBytes ?? Number.POSITIVE_INFINITY);
  // Not where a hash has the last word: a mirror with another ETag would send everything, as one without ranges does.
  const ifRange = !isVouched && identity && position > 0 ? validatorOf(identity) : undefined;
  return { fromByte: position, endByte: isToEnd ? undefined : endByte, ifRange };
}

function judge({ partial, plan, lane, isVouched, maxSizeBytes }: Transfer, range: ByteRange, body: SourceBody): void {
  const { source } = lane;
  const judgement = judgeBody(
    source.shown,
    {
      totalBytes: plan.totalBytes,
      maxSizeBytes,
      isVouched,
      hasBytes: partial.file.writtenBytes > 0,
      owner: partial.identity,
      before: source.identity,
    },
    range,
    body,
  );
  source.identity = identityOf(source.shown, body);
  source.answered();
  if (body.fromByte !== range.fromByte) source.hasRanges = false;
  if (judgement === 'restart') {
    // The size that the old bytes had says nothing about the new ones.
    partial.identity = undefined;
    throw new BeginAnew();
  }
  if (!isVouched || !partial.identity) partial.identity = source.identity;
  if (!isVouched && validatorOf(source.identity) === undefined) source.maxConnections = 1;
  if (plan.totalBytes === undefined && body.totalBytes !== undefined) plan.setTotal(body.totalBytes);
}

/** @returns whether the body came to its end */
async function pumpAll(body: SourceBody, sink: ExtentSink): Promise<boolean> {
  try {
    await body.pump(sink);
    return true;
  } catch (error) {
    if (error instanceof EnoughBytes) return false;
    throw error;
  }
}

/** A body that ended in good order may still be too short: a proxy that gave up, or a lie about the size. */
function checkEnd(source: Mirror, plan: RangePlan, position: number, endByte: number | undefined): void {
  const { totalBytes } = plan;
  if (endByte !== undefined && position < endByte) {
    throw new SlipwayError(
      'SLIPWAY_SOURCE_INTERRUPTED',
      `${source.shown}: the transfer ended after ${position} of ${endByte} bytes`,
    );
  }
  if (endByte !== undefined) return;
  if (totalBytes === undefined) return plan.setTotal(position);
  if (position === totalBytes) return;
  throw new SlipwayError(
    'SLIPWAY_SOURCE_SIZE',
    `${source.shown}: the file ended after ${position} bytes, and ${totalBytes} are expected`,
  );
}
