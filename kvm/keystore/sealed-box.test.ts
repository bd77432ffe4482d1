import { generateKeyPair, openSealed, seal } from './sealed-box.js';

test.each(['', 'Authorization: Bearer x', 'žluťoučký kůň 🐴'])('should open what was sealed: %j', async (secret) => {
  const keyPair = await generateKeyPair();
  const sealed = await seal(secret, keyPair.publicKey);
  expect(await openSealed(sealed, keyPair)).toBe(secret);
});

test('should not show the secret, nor that two are equal', async () => {
  const { publicKey } = await generateKeyPair();
  const sealed = [await seal('secret', publicKey), await seal('secret', publicKey)];
  expect(sealed[0]).not.toBe(sealed[1]);
  expect(Buffer.from(sealed[0] ?? '', 'base64').includes('secret')).toBe(false);
});

const failure = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

test('should stay closed to another host', async () => {
  const sealed = await seal('secret', (await generateKeyPair()).publicKey);
  expect(await failure(openSealed(sealed, await generateKeyPair()))).toMatchObject({
    code: 'SLIPWAY_INTERNAL',
    message: expect.stringContaining('cannot be opened'),
  });
});

test.each([
  ['a changed byte', (sealed: string) => `${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`],
  ['half of it', (sealed: string) => sealed.slice(0, 20)],
  ['no base64', () => '%%%'],
  ['nothing', () => ''],
])('should refuse %s', async (_name, damage) => {
  const keyPair = await generateKeyPair();
  const sealed = damage(await seal('secret', keyPair.publicKey));
  expect(await failure(openSealed(sealed, keyPair))).toMatchObject({ code: 'SLIPWAY_INTERNAL' });
});

test.each(['', 'short', Buffer.alloc(31).toString('base64'), `${Buffer.alloc(32).toString('base64')}!`])(
  'should refuse %j as a key, without repeating it',
  async (publicKey) => {
    const error = await failure(seal('secret', publicKey));
    expect(error).toMatchObject({ message: 'The public key of the host is not 32 bytes in base64' });
  },
);
