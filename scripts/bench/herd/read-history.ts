import type { Step } from './bare-process.js';

/** The part of a workflow's history that is looked at. */
export interface HistoryEvents {
  events?:
    | {
        activityTaskScheduledEventAttributes?: { taskQueue?: { name?: string | null } | null } | null;
        activityTaskStartedEventAttributes?: { attempt?: number | null } | null;
        workflowTaskCompletedEventAttributes?: object | null;
      }[]
    | null;
}

export interface WorkflowCost {
  events: number;
  workflowTasks: number;
  /** The queue of each activity, in order. */
  steps: Step[];
  /** Activities that had to be tried again. */
  retries: number;
}

/** What a workflow took of Temporal. */
export function readHistory({ events }: HistoryEvents, controlQueue: string): WorkflowCost {
  const all = events ?? [];
  const queues = all.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.taskQueue?.name ? [scheduled.taskQueue.name] : [],
  );
  return {
    events: all.length,
    workflowTasks: all.filter(({ workflowTaskCompletedEventAttributes: completed }) => completed).length,
    steps: queues.map((name) => (name === controlQueue ? 'control' : 'host')),
    retries: all.filter(({ activityTaskStartedEventAttributes: started }) => (started?.attempt ?? 1) > 1).length,
  };
}

/** The steps that most of them took. */
export function usualSteps(costs: readonly WorkflowCost[]): Step[] {
  const counts = new Map<string, number>();
  for (const { steps } of costs) {
    const key = steps.join(' ');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [[usual] = ['']] = [...counts].sort(([, a], [, b]) => b - a);
  return usual.split(' ').filter((step): step is Step => step === 'control' || step === 'host');
}
