import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { atOnce } from './at-once.js';
import type { BareAnswer, BareInput, BareOptions, Step } from './bare-process.js';
import { startTalkingProcess } from './talking-process.js';

const LOOK_EVERY_MS = 50;

/** Workers that do nothing, in the same number of processes and queues as those that deploy. */
export async function startBareFleet({ client, address, hosts }: { client: Client; address: string; hosts: number }) {
  const controlQueue = `bare-${randomUUID()}`;
  const hostQueues = Array.from({ length: hosts }, () => `bare-host-${randomUUID()}`);
  const start = (options: BareOptions) => startTalkingProcess('bare-process.ts', options);
  const control = await start({ kind: 'control', address, queue: controlQueue });
  const hostWorkers = await start({ kind: 'hosts', address, queues: hostQueues });

  /** @returns milliseconds from the first start to the end of the last step */
  const run = async (workflows: number, { steps, atOnceLimit }: { steps: Step[]; atOnceLimit: number }) => {
    const lastStepBy = steps.at(-1) === 'control' ? control : hostWorkers;
    const { ended: before } = await lastStepBy.ask<BareAnswer>(null);
    const startedMs = performance.now();
    await atOnce(atOnceLimit, Array.from({ length: workflows }).fill(0), () =>
      client.workflow.start('bareWorkflow', {
        workflowId: `bare-${randomUUID()}`,
        taskQueue: controlQueue,
        args: [{ steps, controlQueue, hostQueue: hostQueues[Math.floor(Math.random() * hosts)]! } satisfies BareInput],
      }),
    );
    while ((await lastStepBy.ask<BareAnswer>(null)).ended - before < workflows) await sleep(LOOK_EVERY_MS);
    return performance.now() - startedMs;
  };
  return {
    run,
    pids: { control: control.pid, hosts: hostWorkers.pid },
    async stop() {
      await control.stop();
      await hostWorkers.stop();
    },
  };
}
