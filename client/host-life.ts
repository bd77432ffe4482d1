import { hostKey } from '../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../shared/task-queues.js';
import { hostWorkflowId } from '../shared/workflow-ids.js';

/** How `hostLifecycle` begins, whoever begins it. */
export const hostLife = (hostId: string) => ({
  workflowId: hostWorkflowId(hostId),
  taskQueue: CONTROL_TASK_QUEUE,
  args: [{ hostId }],
  typedSearchAttributes: [{ key: hostKey, value: hostId }],
  staticSummary: `life of KVM host ${hostId}`,
});
