import { ERRORS, type ErrorCode, type SlipwayError } from '../../shared/errors.js';
import type { MirrorReport } from '../../shared/images.js';

/** Where the table of errors speaks of an installation, of which there is none here. */
const HERE: Partial<Record<ErrorCode, string>> = {
  SLIPWAY_PARAMETER_INVALID: 'slipway-image --help lists the commands and their options.',
  SLIPWAY_HEADER_INVALID: 'Give headers as --header NAME:VALUE, or as --header @FILE with one on each line.',
  SLIPWAY_CANCELLED: 'A fetch that is run again goes on where this one stopped.',
  SLIPWAY_RESOURCE_BUSY: 'Wait until the other run ends, or stop it.',
  SLIPWAY_INTERNAL: 'This is a defect in Slipway: report it.',
  SLIPWAY_URL_FORBIDDEN: 'Allow the address with --allow CIDR or --allow-loopback, or use another source.',
  SLIPWAY_SOURCE_CONNECT: 'Check that the server answers from this host.',
  SLIPWAY_SOURCE_TIMEOUT: 'Check the server, or wait longer with --setting direct.download.socket.timeout=MS.',
  SLIPWAY_SOURCE_REDIRECT: 'Allow redirects with --follow-redirects, or give the final URL.',
  SLIPWAY_SOURCE_TLS: 'Give the certificate of the issuer with --ca FILE, or repair that of the server.',
  SLIPWAY_SOURCE_PROXY: 'Check the proxy that --proxy names.',
  SLIPWAY_TRANSFER_DEADLINE: 'Allow more time with --setting direct.download.total.timeout=S, or use faster sources.',
  SLIPWAY_TEMPLATE_TOO_LARGE: 'Allow more with --setting max.template.iso.size=GB, or use a smaller image.',
  SLIPWAY_UNPACK_TOO_LARGE: 'Allow more with --setting max.template.iso.size=GB, or use a smaller image.',
  SLIPWAY_UNPACK_RATIO: 'The file unpacks to far more than it is, as a decompression bomb does.',
  SLIPWAY_UNPACK_TOOL: 'Install the program that the text names.',
  SLIPWAY_CHECKSUM_MISMATCH: 'Compare the checksum with that of the publisher; the text has expected and actual.',
  SLIPWAY_IMAGE_FORMAT: 'Give the format that the image has, or convert it to qcow2, raw or ISO.',
  SLIPWAY_POOL_FULL: 'Free space in the directory that --pool names, or use another.',
  SLIPWAY_POOL_IO: 'Check the directory that --pool names, and its file system.',
};

const remedyOf = (code: ErrorCode): string => HERE[code] ?? ERRORS[code].remedy;

/** What each source failed with, when an error is about several. */
export function mirrorsOf({ code, details }: Pick<SlipwayError, 'code' | 'details'>): MirrorReport[] {
  return code === 'SLIPWAY_SOURCES_EXHAUSTED' && Array.isArray(details) ? (details as MirrorReport[]) : [];
}

/** What can be done about an error, one sentence each. */
export function remediesFor(error: Pick<SlipwayError, 'code' | 'details'>): string[] {
  const ofSources = mirrorsOf(error).flatMap(({ code }) => (code === undefined ? [] : [remedyOf(code)]));
  return ofSources.length > 0 ? [...new Set(ofSources)] : [remedyOf(error.code)];
}
