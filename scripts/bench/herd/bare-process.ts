import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { connectWorker } from '../../../workers/connect-worker.js';
import { CONTROL_SLOTS } from '../../../workers/control-worker/control-slots.js';
import { HOST_SLOTS } from '../../../workers/host-worker/create-host-workers.js';
import { answerQuestions } from './talking-process.js';

/** Where a step of a deployment runs. */
export type Step = 'control' | 'host';

export interface BareInput {
  steps: Step[];
  controlQueue: string;
  hostQueue: string;
}

export interface BareActivities {
  bareStep(isLast: boolean): Promise<void>;
}

/** A control worker, or all host workers: in production they are processes of their own. */
export type BareOptions = { address: string } & (
  { kind: 'control'; queue: string } | { kind: 'hosts'; queues: string[] }
);

/** Workflows whose last step has been done. */
export interface BareAnswer {
  ended: number;
}

const options = JSON.parse(process.argv[2] ?? '{}') as BareOptions;
Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await connectWorker({ address: options.address });
let ended = 0;
const activities: BareActivities = {
  bareStep(isLast) {
    if (isLast) ended++;
    return Promise.resolve();
  },
};

if (options.kind === 'control') {
  const worker = await Worker.create({
    connection,
    taskQueue: options.queue,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: path.join(import.meta.dirname, 'bare-workflow.ts'),
      logger: new DefaultLogger('ERROR'),
    }),
    activities,
    ...CONTROL_SLOTS,
  });
  void worker.run();
} else {
  for (const taskQueue of options.queues) {
    const worker = await Worker.create({ connection, taskQueue, activities, ...HOST_SLOTS });
    void worker.run();
  }
}
answerQuestions(() => Promise.resolve({ ended } satisfies BareAnswer));
