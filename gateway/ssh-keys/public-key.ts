import { createHash } from 'node:crypto';
import { SlipwayError } from '../../shared/errors.js';

export interface SshPublicKey {
  /** `<type> <base64>`, without options and comment: it is written to a guest as it is. */
  line: string;
  /** MD5 of the key in pairs of hex digits with colons, as CloudStack shows it. */
  fingerprint: string;
}

/** How many fields the key has behind its type (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4; OpenSSH's PROTOCOL.u2f). */
const FIELDS = new Map([
  ['ssh-rsa', 2],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['ssh-ed25519', 1],
  ['sk-ssh-ed25519@openssh.com', 2],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 3],
]);

/**
 * Reads a public key in OpenSSH's one-line form, or the base64 of such a line, as CloudStack does. A key that sshd would
 * skip is refused here: nobody could log in, and nothing would say why.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function parsePublicKey(text: string): SshPublicKey {
  const given = text.trim();
  const line = given.includes(' ') ? given : Buffer.from(given, 'base64').toString('utf8').trim();
  const [type = '', base64 = ''] = line.split(/[ \t]+/);
  const blob = Buffer.from(base64, 'base64');
  const fields = stringsOf(blob);
  const isKey =
    // Buffer skips what is not base64; the round trip notices.
    blob.toString('base64') === base64 && fields?.[0]?.toString('latin1') === type;
  if (!isKey || fields.length - 1 !== FIELDS.get(type) || fields.some((field) => field.length === 0) || isOdd(fields)) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `Public key is invalid: it is no line of type ${[...FIELDS.keys()].join(', ')} in the form of OpenSSH`,
    );
  }
  return { line: `${type} ${base64}`, fingerprint: fingerprintOf(blob) };
}

/** sshd's own limit (RequiredRSASize). */
const MIN_RSA_BYTES = 1024 / 8;
const ED25519_BYTES = 32;

/** Whether a key is of a size, or on a curve, that its type does not have. */
function isOdd([type, first, second]: Buffer[]): boolean {
  const name = type!.toString('latin1');
  if (name === 'ssh-rsa') return second!.length < MIN_RSA_BYTES;
  if (name.includes('ed25519')) return first!.length !== ED25519_BYTES;
  return first!.toString('latin1') !== /nistp\d+/.exec(name)?.[0];
}

const fingerprintOf = (blob: Buffer): string => createHash('md5').update(blob).digest('hex').match(/../g)!.join(':');

/** The strings of RFC 4251, 5 that the bytes consist of; undefined when they do not. */
function stringsOf(bytes: Buffer): Buffer[] | undefined {
  const strings: Buffer[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) return undefined;
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) return undefined;
    strings.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return strings;
}
