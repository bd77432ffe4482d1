import { SlipwayError } from '../../shared/errors.js';
import { type KeyPair, openSealed, seal } from './sealed-box.js';

/** Seals a value that JSON can hold whole. */
export const sealJson = (value: unknown, publicKeyBase64: string): Promise<string> =>
  seal(JSON.stringify(value), publicKeyBase64);

/** @throws SlipwayError SLIPWAY_INTERNAL when it cannot be opened or is no JSON object */
export async function openSealedJson<Value extends object>(sealedBase64: string, keyPair: KeyPair): Promise<Value> {
  const value = parse(await openSealed(sealedBase64, keyPair));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SlipwayError('SLIPWAY_INTERNAL', 'A sealed field holds something else than it should');
  }
  return value as Value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is a secret.
    return undefined;
  }
}
