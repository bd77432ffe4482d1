/**
 * Every error that a user can see, in one table: stable code, CloudStack's errorcode and cserrorcode, and what to do
 * about it. `docs/errors.md` is checked against this table by a test. Match on `code`, never on the message.
 *
 * `failover` is the row of the design's failure table that the error belongs to:
 * - `sameSource`: try the same source again, backing off, resuming; then the next source, then the next host
 * - `nextSource`: this source will not work; another mirror may
 * - `otherBytes`: these bytes will not work; those of another source may, unless a whole-file hash vouched for them
 * - `nextHost`: no source will work from this host or on this pool; another host may
 * - `giveUp`: it will not work anywhere
 */
export type Failover = 'sameSource' | 'nextSource' | 'otherBytes' | 'nextHost' | 'giveUp';

interface ErrorEntry {
  errorcode: number;
  cserrorcode: number;
  failover: Failover;
  /** What the reader of the error can do. One sentence. */
  remedy: string;
}

const entry = (errorcode: number, cserrorcode: number, failover: Failover, remedy: string): ErrorEntry => ({
  errorcode,
  cserrorcode,
  failover,
  remedy,
});

export const ERRORS = {
  // The API
  SLIPWAY_PARAMETER_INVALID: entry(431, 4350, 'giveUp', 'Correct the named parameter and call again.'),
  SLIPWAY_HEADER_INVALID: entry(
    431,
    4350,
    'giveUp',
    'Give HTTP headers as HTTP_HEADER:<Name> or as HTTP_HEADER = NAME:VALUE.',
  ),
  SLIPWAY_PARAMETER_MISSING: entry(431, 9999, 'giveUp', 'Give the named parameter and call again.'),
  SLIPWAY_PARAMETER_VALUE: entry(
    431,
    9999,
    'giveUp',
    'Give the named parameter a value of its type, and an ID of what is there, and call again.',
  ),
  SLIPWAY_COMMAND_UNKNOWN: entry(432, 9999, 'giveUp', 'Call listApis for the commands that this server answers.'),
  SLIPWAY_REQUEST_MALFORMED: entry(430, 9999, 'giveUp', 'Send parameters in the query or as a form body.'),
  SLIPWAY_UNAUTHENTICATED: entry(401, 9999, 'giveUp', 'Check the API key, the secret key and the clock of the caller.'),
  SLIPWAY_PERMISSION_DENIED: entry(531, 4365, 'giveUp', 'Call with an account that may use this command and resource.'),
  SLIPWAY_METHOD_NOT_ALLOWED: entry(405, 9999, 'giveUp', 'Send this command by POST: what it says must be in no log.'),
  SLIPWAY_LOGIN_FAILED: entry(531, 4290, 'giveUp', 'Check user name, password and domain.'),
  SLIPWAY_LIMIT_EXCEEDED: entry(
    535,
    4370,
    'giveUp',
    'Delete what is not needed any more, or have an administrator raise the limit with updateResourceLimit.',
  ),
  SLIPWAY_RESOURCE_BUSY: entry(
    536,
    9999,
    'giveUp',
    'Another operation on this resource is running; wait for its job to end.',
  ),
  SLIPWAY_RESOURCE_STATE: entry(
    431,
    4350,
    'giveUp',
    'The resource is not in a state that allows this; list it to see its state.',
  ),
  SLIPWAY_RESOURCE_IN_USE: entry(530, 4250, 'giveUp', 'Remove what the text names first.'),
  SLIPWAY_UNAVAILABLE: entry(
    534,
    9999,
    'giveUp',
    'A part of Slipway does not answer; try again, then read docs/operations.md.',
  ),
  SLIPWAY_OVERLOADED: entry(503, 9999, 'giveUp', 'Call again in a moment, or run more gateways.'),
  // What nobody knows (a disk that went read-only, say) is taken for the host's own trouble: else the host with the most
  // free memory would fail every deployment for as long as it is sick.
  SLIPWAY_INTERNAL: entry(530, 4250, 'nextHost', 'This is a defect in Slipway: report it with the request id.'),
  // Certificates
  SLIPWAY_CERTIFICATE_INVALID: entry(
    530,
    9999,
    'giveUp',
    'Give one certificate or a chain, in PEM, that is valid now, under a name that is a DNS label.',
  ),
  SLIPWAY_CERTIFICATE_REFUSED: entry(
    530,
    9999,
    'giveUp',
    'Do what the text says; listTemplateDirectDownloadCertificates has all certificates.',
  ),
  // Starting Slipway on one machine
  SLIPWAY_INSTALLATION: entry(530, 4250, 'giveUp', 'Do what the message says, then start again.'),
  // Placement and hosts
  SLIPWAY_NO_HOST: entry(530, 4250, 'giveUp', 'Bring a KVM host of the zone Up, or free capacity, and try again.'),
  SLIPWAY_NO_HOST_LEFT: entry(530, 4250, 'giveUp', 'Every host was tried; the text has the reason of each.'),
  SLIPWAY_HOST_UNREACHABLE: entry(534, 9999, 'nextHost', 'Check that the host worker runs on that host.'),
  SLIPWAY_HOST_REMOVED: entry(530, 4250, 'nextHost', 'Stop the host worker there, or join the host again.'),
  SLIPWAY_HOST_REVOKED: entry(
    530,
    4250,
    'nextHost',
    'Declare the host as Degraded when it is off, or give it new keys with a token of createHostJoinToken.',
  ),
  SLIPWAY_HOST_TOO_OLD: entry(530, 4250, 'nextHost', 'Install on that host the version that the control workers have.'),
  SLIPWAY_JOIN_TOKEN: entry(401, 9999, 'giveUp', 'Make a new token with createHostJoinToken: each works once.'),
  SLIPWAY_JOIN_REFUSED: entry(431, 4350, 'giveUp', 'Do what the text says, then run the command again.'),
  SLIPWAY_TOO_MANY_REQUESTS: entry(429, 9999, 'giveUp', 'Wait for as long as the text says.'),
  SLIPWAY_FENCED: entry(530, 4250, 'nextHost', 'A newer operation reached the host first; nothing to do.'),
  SLIPWAY_KEYSTORE: entry(530, 4250, 'nextHost', 'Check the disk of that host, and its directory of certificates.'),
  SLIPWAY_HYPERVISOR: entry(
    530,
    4250,
    'nextHost',
    'Read the libvirt message; the log of libvirtd on that host has more.',
  ),
  SLIPWAY_DEADLINE: entry(
    530,
    4250,
    'giveUp',
    'Raise the setting deployment.deadline, or look at what the stage named was waiting for.',
  ),
  SLIPWAY_CANCELLED: entry(530, 4250, 'giveUp', 'It was cancelled; start it again if that was not meant.'),
  SLIPWAY_WORKFLOW_LOST: entry(
    530,
    4250,
    'giveUp',
    'The workflow was terminated or is gone; what it left was cleaned up. Start the operation again.',
  ),
  // Sources
  SLIPWAY_URL_INVALID: entry(431, 4350, 'nextSource', 'Give an absolute http, https or nfs URL.'),
  SLIPWAY_URL_FORBIDDEN: entry(
    431,
    4350,
    'nextSource',
    'Allow the address with the setting secstorage.allowed.internal.sites, or use another source.',
  ),
  SLIPWAY_URL_VALIDATION: entry(
    530,
    4250,
    'giveUp',
    'No host could read the URL; the text has what each source answered.',
  ),
  SLIPWAY_SOURCE_CONNECT: entry(530, 4250, 'sameSource', 'Check that the server answers from the KVM hosts.'),
  SLIPWAY_SOURCE_TIMEOUT: entry(530, 4250, 'sameSource', 'Check the server, or raise direct.download.socket.timeout.'),
  SLIPWAY_SOURCE_INTERRUPTED: entry(530, 4250, 'sameSource', 'The server ended the transfer early; check it.'),
  SLIPWAY_SOURCE_HTTP_5XX: entry(530, 4250, 'sameSource', 'The server failed or is busy (5xx or 429); check it.'),
  SLIPWAY_SOURCE_HTTP_4XX: entry(
    530,
    4250,
    'nextSource',
    'The server refused the request; check the URL and its permissions.',
  ),
  SLIPWAY_SOURCE_REDIRECT: entry(
    530,
    4250,
    'nextSource',
    'Set store.download.follow.redirects to true, or register the final URL.',
  ),
  SLIPWAY_SOURCE_TLS: entry(
    530,
    4250,
    'nextSource',
    'Upload the certificate of the issuer, or repair the certificate of the server.',
  ),
  SLIPWAY_SOURCE_NFS: entry(
    530,
    4250,
    'nextSource',
    'Check the path, the export and its permissions on the NFS server.',
  ),
  SLIPWAY_SOURCE_PROXY: entry(530, 4250, 'sameSource', 'Check the proxy that is set for the host.'),
  SLIPWAY_SOURCE_SLOW: entry(530, 4250, 'nextSource', 'Remove the mirror from the metalink, or look at its server.'),
  SLIPWAY_SOURCE_PIECE: entry(
    530,
    4250,
    'nextSource',
    'The mirror sent bytes that do not match the piece hashes of the metalink: repair or remove it.',
  ),
  SLIPWAY_SOURCE_CHANGED: entry(
    530,
    4250,
    'nextSource',
    'The file changed while it was downloaded, or this mirror has another file.',
  ),
  SLIPWAY_SOURCE_SIZE: entry(
    530,
    4250,
    'nextSource',
    'The server sent another number of bytes than it, or the metalink, announced.',
  ),
  SLIPWAY_SOURCES_EXHAUSTED: entry(530, 4250, 'nextHost', 'No source could be read; the text has the reason of each.'),
  SLIPWAY_METALINK_INVALID: entry(
    530,
    4250,
    'nextSource',
    'Repair the metalink document; the text says what is wrong.',
  ),
  SLIPWAY_METALINK_DTD: entry(530, 4250, 'nextSource', 'Remove the document type and its entities from the metalink.'),
  SLIPWAY_METALINK_TOO_LARGE: entry(
    530,
    4250,
    'nextSource',
    'Make the metalink smaller: the text says which limit it passes.',
  ),
  SLIPWAY_METALINK_NO_SOURCE: entry(
    530,
    4250,
    'nextSource',
    'Give the file an http, https or nfs URL; the text says why the others were dropped.',
  ),
  SLIPWAY_TRANSFER_DEADLINE: entry(
    530,
    4250,
    'nextHost',
    'Raise the setting direct.download.total.timeout, or use faster sources.',
  ),
  SLIPWAY_TEMPLATE_TOO_LARGE: entry(
    530,
    4250,
    'giveUp',
    'Raise the setting max.template.iso.size, or register a smaller image.',
  ),
  // Bytes
  SLIPWAY_CHECKSUM_MISMATCH: entry(
    530,
    4250,
    'nextHost',
    'Compare the registered checksum with the publisher; the text has expected and actual.',
  ),
  SLIPWAY_UNPACK_CORRUPT: entry(530, 4250, 'otherBytes', 'Compress the file anew: what is there cannot be unpacked.'),
  SLIPWAY_UNPACK_TOO_LARGE: entry(
    530,
    4250,
    'otherBytes',
    'Raise the setting max.template.iso.size, or register a smaller image.',
  ),
  SLIPWAY_UNPACK_RATIO: entry(
    530,
    4250,
    'otherBytes',
    'The file unpacks to far more than it is, as a decompression bomb does: register the unpacked image.',
  ),
  SLIPWAY_UNPACK_NESTED: entry(530, 4250, 'otherBytes', 'Compress the image once, not twice.'),
  SLIPWAY_UNPACK_MEMBERS: entry(530, 4250, 'otherBytes', 'Put the image, and nothing else, into the zip file.'),
  SLIPWAY_UNPACK_TOOL: entry(530, 4250, 'nextHost', 'Install the program that the text names on that host.'),
  SLIPWAY_IMAGE_FORMAT: entry(
    530,
    4250,
    'otherBytes',
    'Register the image with the format that it has, or convert it to QCOW2, RAW or ISO.',
  ),
  SLIPWAY_IMAGE_HEADER: entry(530, 4250, 'otherBytes', 'The header of the image is damaged or forged: make it anew.'),
  SLIPWAY_IMAGE_BACKING_FILE: entry(530, 4250, 'otherBytes', 'Flatten the image with qemu-img convert.'),
  SLIPWAY_IMAGE_DATA_FILE: entry(530, 4250, 'otherBytes', 'Make the image one file with qemu-img convert.'),
  SLIPWAY_IMAGE_FEATURES: entry(
    530,
    4250,
    'otherBytes',
    'The image uses features of qcow2 that are not known to be safe: convert it with qemu-img convert.',
  ),
  SLIPWAY_IMAGE_ENCRYPTED: entry(530, 4250, 'otherBytes', 'Decrypt the image: nothing here has its key.'),
  SLIPWAY_IMAGE_SIZE: entry(530, 4250, 'otherBytes', 'The image claims an impossible size: make it anew.'),
  SLIPWAY_IMAGE_POLYGLOT: entry(
    530,
    4250,
    'otherBytes',
    'The file can be read as two formats, as an attack would be: convert it with qemu-img convert.',
  ),
  SLIPWAY_IMAGE_REFUSED: entry(
    530,
    4250,
    'otherBytes',
    'The file is not a safe image of the registered format; the text says why.',
  ),
  SLIPWAY_IMAGE_UNUSABLE: entry(
    530,
    4250,
    'giveUp',
    'The bytes are the registered ones and no usable image; register a corrected one.',
  ),
  SLIPWAY_POOL_FULL: entry(530, 4250, 'nextHost', 'Free space on the primary storage pool, or add a pool.'),
  SLIPWAY_POOL_MAINTENANCE: entry(
    530,
    4250,
    'nextHost',
    'Cancel the maintenance of the primary storage pool when it is over, or use another pool.',
  ),
  SLIPWAY_POOL_IO: entry(530, 4250, 'nextHost', 'Check the primary storage pool and the log of its host.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export const isErrorCode = (text: unknown): text is ErrorCode =>
  typeof text === 'string' && Object.prototype.hasOwnProperty.call(ERRORS, text);

export const failoverOf = (code: ErrorCode): Failover => ERRORS[code].failover;

/**
 * The only error class that may reach a user. Its message never holds a secret: no header value, no user info or
 * query of a URL.
 */
export class SlipwayError extends Error {
  override readonly name = 'SlipwayError';
  readonly code: ErrorCode;
  /** What a program needs beside the text, for example the report per mirror. JSON-serialisable, free of secrets. */
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

export const isSlipwayError = (error: unknown): error is SlipwayError =>
  error instanceof Error && error.name === 'SlipwayError' && isErrorCode((error as Partial<SlipwayError>).code);
