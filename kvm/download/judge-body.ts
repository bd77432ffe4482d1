import { SlipwayError } from '../../shared/errors.js';
import type { ByteRange, SourceBody } from './source-client.js';
import { identityOf, isSameVersion, mayBeSameBytes, type SourceIdentity } from './source-identity.js';

/** What a download knows when a source answers. */
export interface Known {
  /** Announced by a metalink, or told by the first source. */
  totalBytes?: number | undefined;
  maxSizeBytes: number;
  /** Hashes will be compared, so that bytes of equal mirrors may be joined. */
  isVouched: boolean;
  /** Whether bytes of the file are on disk. */
  hasBytes: boolean;
  /** Where those came from, when nothing vouches for them. */
  owner?: SourceIdentity | undefined;
  /** What the same source said before. */
  before?: SourceIdentity | undefined;
}

/** `restart`: the bytes on disk are of another version or source: they have to go before these may come. */
export type Judgement = 'take' | 'restart';

/**
 * Whether an answer carries the file that the download is about.
 *
 * @param shownUrl the source, as it is shown
 * @throws SlipwayError SLIPWAY_SOURCE_SIZE, SLIPWAY_SOURCE_CHANGED, SLIPWAY_TEMPLATE_TOO_LARGE
 */
export function judgeBody(shownUrl: string, known: Known, range: ByteRange, body: SourceBody): Judgement {
  const { totalBytes } = body;
  const offered = identityOf(shownUrl, body);
  const { before } = known;
  if (before && isSameVersion(before, offered) === false) {
    if (!known.isVouched || !mayBeSameBytes(before, offered)) throw changed(shownUrl);
  }
  if (totalBytes !== undefined && known.totalBytes !== undefined && totalBytes !== known.totalBytes) {
    throw new SlipwayError(
      'SLIPWAY_SOURCE_SIZE',
      `${shownUrl}: the file has ${totalBytes} bytes there, and ${known.totalBytes} are expected`,
    );
  }
  // Only now: where the size is known, one mirror with a larger file must not end the download from the others.
  if (totalBytes !== undefined && totalBytes > known.maxSizeBytes) {
    throw new SlipwayError(
      'SLIPWAY_TEMPLATE_TOO_LARGE',
      `${shownUrl}: the file has ${totalBytes} bytes, and at most ${known.maxSizeBytes} are allowed`,
    );
  }
  // A server may send less than was asked for (RFC 9110, 14.2): a part would be taken for the whole.
  if (body.fromByte > 0 && totalBytes === undefined && known.totalBytes === undefined) throw changed(shownUrl);
  if (known.isVouched || !known.hasBytes) return 'take';
  const { owner } = known;
  if (!owner || owner.url !== shownUrl) return 'restart';
  // The whole came, where a part was asked for or the server is known to have no parts: the file may have changed.
  const isWhole = body.fromByte !== range.fromByte || (range.fromByte === 0 && range.endByte === undefined);
  return isWhole && isSameVersion(owner, offered) !== true ? 'restart' : 'take';
}

const changed = (shownUrl: string): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_CHANGED', `${shownUrl}: the file changed while it was downloaded`);
