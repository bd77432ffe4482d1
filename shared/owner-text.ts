import type { ErrorCode, SlipwayError } from './errors.js';
import type { Failure } from './failures.js';

/**
 * Their messages are written for whoever calls, about what is theirs: they name no host, no pool and no address. With causes
 * a message is of another kind: put together of what each host has said.
 */
const SAID_AS_THEY_ARE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SLIPWAY_PARAMETER_INVALID',
  'SLIPWAY_HEADER_INVALID',
  'SLIPWAY_PARAMETER_MISSING',
  'SLIPWAY_PARAMETER_VALUE',
  'SLIPWAY_COMMAND_UNKNOWN',
  'SLIPWAY_REQUEST_MALFORMED',
  'SLIPWAY_UNAUTHENTICATED',
  'SLIPWAY_PERMISSION_DENIED',
  'SLIPWAY_METHOD_NOT_ALLOWED',
  'SLIPWAY_LOGIN_FAILED',
  'SLIPWAY_LIMIT_EXCEEDED',
  'SLIPWAY_RESOURCE_BUSY',
  'SLIPWAY_RESOURCE_STATE',
  'SLIPWAY_RESOURCE_IN_USE',
  'SLIPWAY_UNAVAILABLE',
  'SLIPWAY_OVERLOADED',
  'SLIPWAY_TOO_MANY_REQUESTS',
  'SLIPWAY_JOIN_TOKEN',
  'SLIPWAY_JOIN_REFUSED',
  'SLIPWAY_DEADLINE',
  'SLIPWAY_CANCELLED',
  'SLIPWAY_WORKFLOW_LOST',
]);

/** Of everything else, and of whatever is new in the table of errors. */
export const SOMETHING_FAILED = 'Something inside the cloud failed; an administrator is shown what';

const HOST_SILENT = 'The host did not answer';
const TOO_LARGE = 'The image is larger than the setting max.template.iso.size allows';
const NOT_UNPACKED = 'The image cannot be unpacked';
const NOT_SAFE = 'The image is not one that can be used safely';

const TEXTS: Partial<Record<ErrorCode, string>> = {
  SLIPWAY_RESOURCE_STATE: 'Something that it needs is gone, or not in a state for it',
  SLIPWAY_DEADLINE: 'It took too long',
  SLIPWAY_CANCELLED: 'The operation was cancelled',
  SLIPWAY_WORKFLOW_LOST: 'A workflow that worked for it was terminated',
  SLIPWAY_UNAVAILABLE: 'A part of the cloud does not answer',
  SLIPWAY_NO_HOST: 'No host is there that can do it now',
  SLIPWAY_NO_HOST_LEFT: 'No host could do it',
  SLIPWAY_HOST_UNREACHABLE: HOST_SILENT,
  SLIPWAY_HOST_REMOVED: HOST_SILENT,
  SLIPWAY_HOST_REVOKED: HOST_SILENT,
  SLIPWAY_HYPERVISOR: 'The hypervisor refused it',
  SLIPWAY_POOL_FULL: 'There is not enough space on primary storage',
  SLIPWAY_POOL_MAINTENANCE: 'Primary storage is in maintenance',
  SLIPWAY_POOL_IO: 'Primary storage failed',
  SLIPWAY_URL_INVALID: 'The URL is not an absolute http, https or nfs URL, or has a part that is not allowed in one',
  SLIPWAY_URL_FORBIDDEN: 'The URL leads to an address that hosts may not call',
  SLIPWAY_URL_VALIDATION: 'No host could read the URL',
  SLIPWAY_SOURCE_CONNECT: 'The server of the image does not answer',
  SLIPWAY_SOURCE_TIMEOUT: 'The server of the image takes too long to answer',
  SLIPWAY_SOURCE_INTERRUPTED: 'The server of the image ends the transfer early',
  SLIPWAY_SOURCE_HTTP_5XX: 'The server of the image fails, or is busy (5xx or 429)',
  SLIPWAY_SOURCE_HTTP_4XX: 'The server of the image refuses the request (4xx)',
  SLIPWAY_SOURCE_REDIRECT: 'The URL redirects elsewhere, and that is not followed',
  SLIPWAY_SOURCE_TLS: 'The certificate of the server of the image is not trusted',
  SLIPWAY_SOURCE_NFS: 'The NFS server does not give the image',
  SLIPWAY_SOURCE_PROXY: 'The proxy on the way to the image fails',
  SLIPWAY_SOURCE_SLOW: 'The server of the image is too slow',
  SLIPWAY_SOURCE_PIECE: 'A mirror sent bytes that do not match the metalink',
  SLIPWAY_SOURCE_CHANGED: 'The image changed while it was downloaded',
  SLIPWAY_SOURCE_SIZE: 'The image has another size than was announced',
  SLIPWAY_SOURCES_EXHAUSTED: 'The image could not be downloaded',
  SLIPWAY_METALINK_INVALID: 'The metalink is not valid',
  SLIPWAY_METALINK_DTD: 'The metalink has a document type',
  SLIPWAY_METALINK_TOO_LARGE: 'The metalink is too large',
  SLIPWAY_METALINK_NO_SOURCE: 'The metalink names no source that can be used',
  SLIPWAY_TRANSFER_DEADLINE: 'The download took too long',
  SLIPWAY_TEMPLATE_TOO_LARGE: TOO_LARGE,
  SLIPWAY_CHECKSUM_MISMATCH: 'The image does not match its checksum',
  SLIPWAY_UNPACK_CORRUPT: NOT_UNPACKED,
  SLIPWAY_UNPACK_TOO_LARGE: TOO_LARGE,
  SLIPWAY_UNPACK_RATIO: NOT_UNPACKED,
  SLIPWAY_UNPACK_NESTED: 'The image is packed twice',
  SLIPWAY_UNPACK_MEMBERS: 'The zip file has more in it than the image',
  SLIPWAY_IMAGE_FORMAT: 'The image has not the format that it was registered with',
  SLIPWAY_IMAGE_HEADER: NOT_SAFE,
  SLIPWAY_IMAGE_BACKING_FILE: 'The image stands on another file',
  SLIPWAY_IMAGE_DATA_FILE: 'The image keeps its data in another file',
  SLIPWAY_IMAGE_FEATURES: NOT_SAFE,
  SLIPWAY_IMAGE_ENCRYPTED: 'The image is encrypted',
  SLIPWAY_IMAGE_SIZE: NOT_SAFE,
  SLIPWAY_IMAGE_POLYGLOT: NOT_SAFE,
  SLIPWAY_IMAGE_REFUSED: NOT_SAFE,
  SLIPWAY_IMAGE_UNUSABLE: 'The image cannot be used',
};

const textOf = (code: ErrorCode): string => TEXTS[code] ?? SOMETHING_FAILED;

/**
 * What somebody is told of a failure who is no root admin. A message that names hosts, pools and the addresses behind
 * names is no basis for it: what is not known to be harmless is replaced by a text of its code, and those of its causes.
 */
export function ownerText({ code, message, causes = [] }: Failure): string {
  if (SAID_AS_THEY_ARE.has(code) && causes.length === 0) return message;
  const reasons = [...new Set(causes.filter((cause) => cause !== code).map(textOf))];
  return [textOf(code), ...reasons].join('. ');
}

/** Of a workflow that a call waited for, with the causes that it told of. */
export function failureIn({ code, message, details }: SlipwayError): Failure {
  const { causes } = (details ?? {}) as Pick<Failure, 'causes'>;
  return { code, message, causes };
}
