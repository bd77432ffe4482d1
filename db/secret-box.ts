import sodium from 'libsodium-wrappers';
import { SlipwayError } from '../shared/errors.js';

/** Encryption at rest: URLs, secret keys and header values, with the installation's key. */
export interface SecretBox {
  encrypt(text: string): string;
  decrypt(text: string): string;
}

/**
 * @param keyBase64 32 random bytes, base64; `SLIPWAY_SECRET_KEY` of the gateway and the control worker.
 */
export async function createSecretBox(keyBase64: string): Promise<SecretBox> {
  await sodium.ready;
  const key = Buffer.from(keyBase64, 'base64');
  if (key.length !== sodium.crypto_secretbox_KEYBYTES) {
    throw new SlipwayError(
      'SLIPWAY_INTERNAL',
      `SLIPWAY_SECRET_KEY must be ${sodium.crypto_secretbox_KEYBYTES} bytes in base64; it has ${key.length}`,
    );
  }
  return {
    encrypt(text) {
      const nonce = sodium.randombytes_buf(sodium.crypto_secretbox_NONCEBYTES);
      const box = sodium.crypto_secretbox_easy(sodium.from_string(text), nonce, key);
      return Buffer.concat([nonce, box]).toString('base64');
    },
    decrypt(text) {
      const bytes = Buffer.from(text, 'base64');
      const nonce = bytes.subarray(0, sodium.crypto_secretbox_NONCEBYTES);
      try {
        return sodium.to_string(
          sodium.crypto_secretbox_open_easy(bytes.subarray(sodium.crypto_secretbox_NONCEBYTES), nonce, key),
        );
      } catch (cause) {
        throw new SlipwayError(
          'SLIPWAY_INTERNAL',
          'A stored secret cannot be decrypted: SLIPWAY_SECRET_KEY is not the key it was stored with',
          { cause },
        );
      }
    },
  };
}
