import { networkInterfaces } from 'node:os';
import { addressTowards } from './address-towards.js';

test.each([
  ['localhost:7233', /^(127\.0\.0\.1|::1)$/],
  ['127.0.0.1:7233', /^127\.0\.0\.1$/],
])('%s is called from the loopback address', async (server, address) => {
  expect(await addressTowards(server)).toMatch(address);
});

test('an address of this machine is called from itself', async () => {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  const address = own?.address ?? '127.0.0.1';
  expect(await addressTowards(`${address}:7233`)).toBe(address);
});

test.each(['no-such-name.invalid:7233', 'not an address', '127.0.0.1:0'])('%s has no way to it', async (server) => {
  expect(await addressTowards(server)).toBeUndefined();
});
