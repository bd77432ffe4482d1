import { inspect } from 'node:util';
import { generateKeyPair, type KeyPair, seal } from './sealed-box.js';
import { openSealedJson, sealJson } from './sealed-json.js';

let keyPair: KeyPair;
beforeAll(async () => void (keyPair = await generateKeyPair()));

it('gives back what was sealed', async () => {
  const value = { url: 'https://user:word@images.example/ä', headers: [['A', '"\\']] };
  expect(await openSealedJson(await sealJson(value, keyPair.publicKey), keyPair)).toEqual(value);
});

it.each(['a-secret', '"a-secret"', '["a-secret"]', 'null'])(
  'refuses what is no object without quoting it: %s',
  async (text) => {
    const error = await openSealedJson(await seal(text, keyPair.publicKey), keyPair).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'SLIPWAY_INTERNAL' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('a-secret');
  },
);
