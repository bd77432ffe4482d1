import sodium from 'libsodium-wrappers';
import { SlipwayError } from '../../shared/errors.js';

/** Base64 of a host's X25519 keys. The public one goes to the control plane, the secret one never leaves the host. */
export interface KeyPair {
  publicKey: string;
  secretKey: string;
}

export async function generateKeyPair(): Promise<KeyPair> {
  await sodium.ready;
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  return { publicKey: toBase64(publicKey), secretKey: toBase64(privateKey) };
}

/**
 * Encrypts a secret so that only the host with this key can read it (libsodium's sealed box); what the box travels
 * through, workflow histories included, cannot.
 *
 * @returns base64
 * @throws SlipwayError SLIPWAY_INTERNAL when the key is not one
 */
export async function seal(plaintext: string, publicKeyBase64: string): Promise<string> {
  await sodium.ready;
  const publicKey = decodeKey(publicKeyBase64, 'public key', sodium.crypto_box_PUBLICKEYBYTES);
  return toBase64(sodium.crypto_box_seal(Buffer.from(plaintext, 'utf8'), publicKey));
}

/** @throws SlipwayError SLIPWAY_INTERNAL when it was sealed for another host or changed on the way */
export async function openSealed(sealedBase64: string, keyPair: KeyPair): Promise<string> {
  await sodium.ready;
  const publicKey = decodeKey(keyPair.publicKey, 'public key', sodium.crypto_box_PUBLICKEYBYTES);
  const secretKey = decodeKey(keyPair.secretKey, 'secret key', sodium.crypto_box_SECRETKEYBYTES);
  try {
    const box = sodium.from_base64(sealedBase64, sodium.base64_variants.ORIGINAL);
    return Buffer.from(sodium.crypto_box_seal_open(box, publicKey, secretKey)).toString('utf8');
  } catch (error) {
    throw new SlipwayError('SLIPWAY_INTERNAL', 'A sealed field cannot be opened with the key of this host', {
      cause: error,
    });
  }
}

const toBase64 = (bytes: Uint8Array): string => sodium.to_base64(bytes, sodium.base64_variants.ORIGINAL);

function decodeKey(base64: string, name: string, lengthBytes: number): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips what is not base64; the round trip notices.
  if (bytes.length !== lengthBytes || bytes.toString('base64') !== base64) {
    throw new SlipwayError('SLIPWAY_INTERNAL', `The ${name} of the host is not ${lengthBytes} bytes in base64`);
  }
  return bytes;
}
