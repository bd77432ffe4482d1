/**
 * `node --import tsx scripts/download-temporal-cli.ts VERSION PATH`: fetches the Temporal CLI the way the SDK's own
 * test environment does, and leaves it at PATH. Fails where the download host is out of reach.
 */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [version, path] = process.argv.slice(2);
if (!version || !path) throw new Error('usage: download-temporal-cli VERSION PATH');

// Beside the target, so that the rename is atomic: two set-ups at once both end with a whole file.
const downloadDir = await mkdtemp(join(dirname(path), 'download-'));
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir, version: `v${version}` } },
  });
  await environment.teardown();
  const [executable] = await readdir(downloadDir);
  if (!executable) throw new Error('the download left no file');
  await rename(join(downloadDir, executable), path);
} finally {
  await rm(downloadDir, { recursive: true, force: true });
}
