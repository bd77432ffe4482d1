import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { findTemporalExecutable } from '../../embedded/temporal-executable.js';

const run = promisify(execFile);

export const HISTORIES = path.join(__dirname, '..', 'histories');

/**
 * Keeps, for each workflow type and way to end, the longest history that a test file made, for the replay test:
 * `<type>/<how it ended>-<test file>.json`. Only with RECORD_HISTORIES=1.
 */
export async function recordHistories(client: Client, address: string, testFile: string): Promise<void> {
  const longest = new Map<string, { workflowId: string; runId: string; length: number; type: string }>();
  for await (const { type, status, workflowId, runId, historyLength } of client.workflow.list()) {
    const name = `${status.name.toLowerCase().replaceAll('_', '-')}-${testFile}`;
    const key = path.join(type, name);
    if ((longest.get(key)?.length ?? 0) < historyLength)
      longest.set(key, { type, workflowId, runId, length: historyLength });
  }
  const temporal = await findTemporalExecutable(process.env);
  for (const [key, { type, workflowId, runId }] of longest) {
    const show = [
      'workflow',
      'show',
      '--address',
      address,
      '--workflow-id',
      workflowId,
      '--run-id',
      runId,
      '-o',
      'json',
    ];
    const { stdout } = await run(temporal, show, { maxBuffer: 64 * 1024 ** 2 });
    await mkdir(path.join(HISTORIES, type), { recursive: true });
    await writeFile(path.join(HISTORIES, `${key}.json`), `${JSON.stringify(JSON.parse(stdout), withoutStackTraces)}\n`);
  }
}

/** They name paths of the machine that recorded, and replay does not look at them. */
const withoutStackTraces = (key: string, value: unknown): unknown => (key === 'stackTrace' ? undefined : value);
