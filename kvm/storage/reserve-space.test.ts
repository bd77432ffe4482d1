import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../tests/support/wait-for.js';
import { reserveSpace } from './reserve-space.js';

let directory: string;
const { PATH } = process.env;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-reserve-'));
});
afterEach(async () => {
  process.env['PATH'] = PATH;
  await rm(directory, { recursive: true });
});

test('should end at once, with its program, when it is called off: a file system may hang', async () => {
  const [program, started] = [join(directory, 'fallocate'), join(directory, 'started')];
  await writeFile(program, `#!/bin/sh\necho $$ > ${started}\nexec sleep 600\n`);
  await chmod(program, 0o755);
  process.env['PATH'] = `${directory}:${PATH}`;
  const path = join(directory, 'file');
  await writeFile(path, '');
  const calledOff = new AbortController();
  const reserving = reserveSpace(path, 1024, calledOff.signal);
  const readPid = () => readFile(started, 'utf8').catch(() => '');
  await waitFor('the program runs', async () => (await readPid()).endsWith('\n'));
  calledOff.abort();
  await reserving;
  const pid = Number(await readPid());
  await waitFor('the program has ended', () =>
    readFile(`/proc/${pid}/comm`).then(
      () => false,
      () => true,
    ),
  );
});
