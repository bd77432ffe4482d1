import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { parsePublicKey, type SshPublicKey } from './public-key.js';

const RSA_BITS = 3072;
const TYPE = 'ssh-rsa';

/**
 * A new pair. RSA and PEM (PKCS #1) as CloudStack's is: what clients write to a file and hand to ssh.
 *
 * @returns `privateKey` is for the caller alone: never stored, never logged
 */
export async function makeKeyPair(): Promise<{ publicKey: SshPublicKey; privateKey: string }> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  const { e, n } = pair.publicKey.export({ format: 'jwk' });
  const blob = Buffer.concat([
    sshString(Buffer.from(TYPE)),
    sshString(mpint(Buffer.from(e!, 'base64url'))),
    sshString(mpint(Buffer.from(n!, 'base64url'))),
  ]);
  return {
    publicKey: parsePublicKey(`${TYPE} ${blob.toString('base64')}`),
    privateKey: pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}

/** RFC 4251, 5. */
function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** RFC 4251, 5: a first bit that is set would say that the number is negative. */
const mpint = (bytes: Buffer): Buffer => (bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
