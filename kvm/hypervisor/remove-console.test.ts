import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listConsoles, removeConsole } from './remove-console.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-console-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("removes all parts of one VM's console and nothing else", async () => {
  const [mine, other] = [randomUUID(), randomUUID()];
  for (const name of [`${mine}.log`, `${mine}.log.0`, `${mine}.log.1`, `${other}.log`]) {
    await writeFile(join(directory, name), 'boot');
  }
  await removeConsole(directory, mine);
  await removeConsole(directory, mine);
  expect(await readdir(directory)).toEqual([`${other}.log`]);
});

it('has nothing to do on a host that no VM has run on', async () => {
  await rm(directory, { recursive: true });
  await expect(removeConsole(directory, randomUUID())).resolves.toBeUndefined();
});

it('lists the VMs that it has consoles of', async () => {
  const [one, another] = [randomUUID(), randomUUID()];
  for (const name of [`${one}.log`, `${one}.log.0`, `${another}.log`, 'libvirtd.log', 'notes']) {
    await writeFile(join(directory, name), 'boot');
  }
  expect((await listConsoles(directory)).toSorted()).toEqual([one, another].toSorted());
  expect(await listConsoles(join(directory, 'none'))).toEqual([]);
});
