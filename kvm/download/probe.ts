import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import type { ImageFormat, MirrorReport, ProbeResult } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import { contentMarks } from '../image/content-marks.js';
import { detectCompression } from '../unpack/detect-compression.js';
import { abortError, throwIfAborted } from './abort.js';
import type { SourceContext } from './download.js';
import { createSourceClient } from './create-source-client.js';
import { judgeBody } from './judge-body.js';
import { readStart } from './read-body.js';
import { readSourcesWith } from './read-sources.js';
import type { SourceClient } from './source-client.js';

/** Holds the header of a qcow2 image up to its virtual size. */
const PROBE_BYTES = 512;
const QCOW2_SIZE_OFFSET = 24;
/** Holds the first volume descriptor, which is behind a system area of 32 KiB (ECMA-119, 6.2.1). */
const ISO_PROBE_BYTES = 34 * 1024;
const NO_TAIL = Buffer.alloc(0);
const FORMAT_NAME = { QCOW2: 'a qcow2', ISO: 'an ISO' } as const;
const MAX_AT_ONCE = 10;

interface Probed {
  report: MirrorReport;
  sizeBytes?: number | undefined;
  virtualSizeBytes?: number | undefined;
}

/**
 * Size of the disk as a guest sees it; undefined where the first bytes do not tell, as those of a packed image.
 *
 * @throws SlipwayError SLIPWAY_IMAGE_FORMAT, SLIPWAY_IMAGE_SIZE
 */
function probeVirtualSize(format: ImageFormat, start: Buffer): number | undefined {
  if (format === 'RAW' || detectCompression(start)) return undefined;
  const hasSize = format === 'ISO' || start.length >= QCOW2_SIZE_OFFSET + 8;
  if (!hasSize || !contentMarks(start, NO_TAIL).some((mark) => mark.format === format)) {
    throw new SlipwayError('SLIPWAY_IMAGE_FORMAT', `the file does not begin as ${FORMAT_NAME[format]} image does`);
  }
  if (format === 'ISO') return undefined;
  const virtualSizeBytes = Number(start.readBigUInt64BE(QCOW2_SIZE_OFFSET));
  if (!Number.isSafeInteger(virtualSizeBytes)) {
    throw new SlipwayError('SLIPWAY_IMAGE_SIZE', 'the virtual size in the header of the image is absurd');
  }
  return virtualSizeBytes;
}

async function probeSource(
  client: SourceClient,
  url: string,
  format: ImageFormat,
  rules: { totalBytes: number | undefined; maxSizeBytes: number },
  signal: AbortSignal,
): Promise<Probed> {
  const shown = displayUrl(url);
  let bytes = 0;
  try {
    const probeBytes = format === 'ISO' ? ISO_PROBE_BYTES : PROBE_BYTES;
    const range = { fromByte: 0, endByte: probeBytes };
    // A GET: many servers answer HEAD otherwise, and signed URLs are signed for one method.
    const body = await client.open(url, signal, range);
    try {
      judgeBody(shown, { ...rules, isVouched: false, hasBytes: false }, range, body);
      const start = await readStart(body, probeBytes);
      bytes = start.length;
      const virtualSizeBytes = probeVirtualSize(format, start);
      return { report: { url: shown, outcome: 'used', bytes }, sizeBytes: body.totalBytes, virtualSizeBytes };
    } finally {
      body.discard();
    }
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    const reason = error.message.startsWith(shown) ? error.message : `${shown}: ${error.message}`;
    return { report: { url: shown, outcome: 'failed', bytes, code: error.code, reason } };
  }
}

/** Probes all URLs, a few at once. After an abort the rest are reported as not tried. */
async function probeAll(
  urls: readonly string[],
  signal: AbortSignal,
  probeOne: (url: string) => Promise<Probed>,
): Promise<Probed[]> {
  const results = urls.map((url): Probed => ({ report: { url: displayUrl(url), outcome: 'not tried', bytes: 0 } }));
  const queue = [...urls.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next && !signal.aborted; next = queue.shift()) {
      const [index, url] = next;
      try {
        results[index] = await probeOne(url);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, urls.length) }, work));
  return results;
}

/**
 * Reads the first bytes of what a URL leads to; for a metalink, of each of its mirrors. Passes when at least one of
 * them answers with a file that may be of the format. When the signal aborts, what has answered until then decides.
 *
 * @throws SlipwayError SLIPWAY_SOURCES_EXHAUSTED with `MirrorReport[]` as details; of a metalink that cannot be read
 *   what `readSources` throws; AbortError when the signal aborted before any source answered
 */
export async function probe(
  url: string,
  format: ImageFormat,
  settings: DownloadSettings,
  context: SourceContext,
): Promise<ProbeResult> {
  const { signal } = context;
  throwIfAborted(signal);
  const client = createSourceClient({ ...context, settings });
  try {
    const plan = await readSourcesWith(client, url, { format, mirrorLocations: settings.mirrorLocations }, signal);
    const rules = { totalBytes: plan.sizeBytes, maxSizeBytes: settings.maxSizeBytes };
    const urls = plan.tiers.flatMap((tier) => tier.urls);
    const probed = await probeAll(urls, signal, (one) => probeSource(client, one, format, rules, signal));
    const mirrors = probed.map(({ report }) => report);
    const passed = probed.filter(({ report }) => report.outcome === 'used');
    if (passed.length === 0) {
      if (signal.aborted) throw abortError(signal);
      const lines = mirrors.map(({ reason }) => reason);
      throw new SlipwayError('SLIPWAY_SOURCES_EXHAUSTED', ['No source could be read', ...lines].join('\n'), {
        details: mirrors,
      });
    }
    const sizeBytes = plan.sizeBytes ?? passed.find((source) => source.sizeBytes !== undefined)?.sizeBytes;
    const virtualSizeBytes = passed[0]?.virtualSizeBytes;
    return {
      isMetalink: plan.isMetalink,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(virtualSizeBytes === undefined ? {} : { virtualSizeBytes }),
      mirrors,
    };
  } finally {
    client.close();
  }
}
