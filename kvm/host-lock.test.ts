import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { acquireHostLock } from './host-lock.js';

test('should be had by one worker at a time', async () => {
  const hostId = randomUUID();
  const lock = await acquireHostLock(hostId);
  await expect(acquireHostLock(hostId)).rejects.toMatchObject({
    code: 'SLIPWAY_RESOURCE_BUSY',
    message: `Another worker on this machine serves host ${hostId}`,
  });
  await lock.release();
  await (await acquireHostLock(hostId)).release();
});

test('should be had per host', async () => {
  const locks = await Promise.all([acquireHostLock(randomUUID()), acquireHostLock(randomUUID())]);
  expect(locks).toHaveLength(2);
  await Promise.all(locks.map((lock) => lock.release()));
});

test('should be free once the worker that had it was killed', async () => {
  const hostId = randomUUID();
  const program = `
    import { acquireHostLock } from ${JSON.stringify(join(import.meta.dirname, 'host-lock.ts'))};
    await acquireHostLock(${JSON.stringify(hostId)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const worker = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(worker, 'exit');
  await once(worker.stdout, 'data');
  await expect(acquireHostLock(hostId)).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_BUSY' });
  worker.kill('SIGKILL');
  await exited;
  await (await acquireHostLock(hostId)).release();
});
