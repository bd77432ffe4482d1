import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { runExclusively } from '../../kvm/download/exclusive-path.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import { makePool } from '../../tests/support/test-pool.js';
import type { HostDependencies } from './dependencies.js';
import { discardTemplateCopy, installTemplate, sweepPartials } from './template-copy.js';

let poolId: string;
let directory: string;
let pool: FilesystemPool;
let dependencies: HostDependencies;
const copy = { templateId: randomUUID(), generation: 1, epoch: 1 };
const activity = new MockActivityEnvironment();

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-copies-'));
  pool = await makePool(directory);
  poolId = pool.poolId;
  dependencies = { pools: new Map([[poolId, pool]]) } as Partial<HostDependencies> as HostDependencies;
});
afterEach(() => rm(directory, { recursive: true }));

it('discards only after a download of the same copy has ended, with what that wrote at its end', async () => {
  const partial = pool.partialPath(copy);
  let begin = () => undefined as void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const download = runExclusively(partial, new AbortController().signal, async (signal) => {
    await writeFile(partial, 'bytes');
    begin();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await writeFile(`${partial}.journal`, 'how far it came');
  });
  await begun;
  await activity.run(discardTemplateCopy(dependencies), { poolId, copy });
  await download;
  expect(await pool.list()).toEqual([]);
});

it('installs once, and answers the same to both, when two tries run at once', async () => {
  await writeFile(pool.partialPath(copy), Buffer.alloc(1024));
  const input = { poolId, copy, format: 'RAW' as const, isUnpacked: false };
  const install = () => new MockActivityEnvironment().run(installTemplate(dependencies), input);
  const first = install();
  await new Promise(setImmediate);
  expect(await install()).toEqual(await first);
  expect(await pool.list()).toEqual([`${copy.templateId}.g1.e1`]);
});

it('sweeps what is dead and nothing else, pool by pool', async () => {
  const live = { ...copy, epoch: 2 };
  await writeFile(pool.partialPath(copy), 'bytes');
  await writeFile(pool.partialPath(live), 'bytes');
  const gone = { poolId: randomUUID(), copies: [] };
  const sweep = () => activity.run(sweepPartials(dependencies), { deadPartials: [{ poolId, copies: [copy] }, gone] });
  expect(await sweep()).toEqual([`${copy.templateId}.g1.e1.partial`]);
  expect(await sweep()).toEqual([]);
  expect(await pool.listPartials()).toEqual([live]);
});
