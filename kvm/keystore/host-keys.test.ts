import { createHostKeys } from './host-keys.js';
import { generateKeyPair, type KeyPair } from './sealed-box.js';
import { sealJson } from './sealed-json.js';

let present: KeyPair;
let former: KeyPair;
let next: KeyPair;
beforeAll(async () => {
  present = await generateKeyPair();
  former = await generateKeyPair();
  next = await generateKeyPair();
});

const order = { url: 'https://images/disk' };

test('should open what was sealed to the present key and to a former one', async () => {
  const keys = createHostKeys([present, former]);
  expect(keys.publicKey).toBe(present.publicKey);
  for (const { publicKey } of [present, former]) {
    expect(await keys.open(await sealJson(order, publicKey))).toEqual(order);
  }
});

test('should read its keys again for what none of them opens, and seal to the new one from then on', async () => {
  let reads = 0;
  const keys = createHostKeys([former], () => Promise.resolve(((reads += 1), [next, former] as const)));
  await keys.open(await sealJson(order, former.publicKey));
  expect(reads).toBe(0);
  expect(await keys.open(await sealJson(order, next.publicKey))).toEqual(order);
  expect([reads, keys.publicKey]).toEqual([1, next.publicKey]);
});

test('should keep its keys when they cannot be read again', async () => {
  const keys = createHostKeys([present], () => Promise.reject(new Error('half written')));
  const sealed = await sealJson(order, next.publicKey);
  await expect(keys.open(sealed)).rejects.toMatchObject({ code: 'SLIPWAY_INTERNAL' });
  expect(await keys.open(await sealJson(order, present.publicKey))).toEqual(order);
});

test('should open nothing any more that was sealed to a key that is gone', async () => {
  const keys = createHostKeys([present, former], () => Promise.resolve([present]));
  await keys.reload();
  await expect(keys.open(await sealJson(order, former.publicKey))).rejects.toMatchObject({ code: 'SLIPWAY_INTERNAL' });
});
