import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartedDomains } from './started-domains.js';

let directory: string;
let started: StartedDomains;
const vmId = randomUUID();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-started-'));
  started = new StartedDomains(directory);
});
afterEach(() => rm(directory, { recursive: true }));

it('lists what was started and not ended, with the last token', async () => {
  await started.add(vmId, 5);
  await started.add(vmId, 6);
  await started.add(randomUUID(), 7);
  const [other] = [...(await started.list()).keys()].filter((id) => id !== vmId);
  await started.remove(other as string);
  expect(await started.list()).toEqual(new Map([[vmId, 6]]));
});

it('takes what a killed process left of a record for none', async () => {
  await started.add(vmId, 5);
  await writeFile(join(directory, `${vmId}.0a1b2c3d4e5f.tmp`), '6\n');
  expect(await new StartedDomains(directory).list()).toEqual(new Map([[vmId, 5]]));
});

it('reads again what it could not read before', async () => {
  const [path, other] = [join(directory, vmId), randomUUID()];
  await started.add(other, 7);
  const reader = new StartedDomains(directory);
  await mkdir(path);
  expect(await reader.list()).toEqual(new Map([[other, 7]]));
  await rmdir(path);
  await writeFile(path, '5\n');
  await reader.remove(other);
  expect(await reader.list()).toEqual(new Map([[vmId, 5]]));
});
