import { checkPool } from './pool-check.js';

test('should not take a directory of the host itself for one that a server exports', async () => {
  expect(await checkPool({ path: '/', type: 'NetworkFilesystem' })).toMatchObject({
    status: 'failed',
    text: 'is on the root file system',
  });
  expect(await checkPool({ path: '/', type: 'SharedMountPoint' })).toMatchObject({ status: 'ok' });
});
