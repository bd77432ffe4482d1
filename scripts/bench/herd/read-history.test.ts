import { type HistoryEvents, readHistory, usualSteps, type WorkflowCost } from './read-history.js';

const scheduled = (name: string) => ({ activityTaskScheduledEventAttributes: { taskQueue: { name } } });
const started = (attempt: number) => ({ activityTaskStartedEventAttributes: { attempt } });

describe('readHistory', () => {
  it('counts events, workflow tasks, activities by queue and those that were tried again', () => {
    const history: HistoryEvents = {
      events: [
        { workflowTaskCompletedEventAttributes: {} },
        scheduled('control'),
        started(1),
        scheduled('kvm-host.7'),
        started(2),
        {},
      ],
    };
    expect(readHistory(history, 'control')).toEqual({
      events: 6,
      workflowTasks: 1,
      steps: ['control', 'host'],
      retries: 1,
    });
  });

  it('takes an empty history for nothing', () => {
    expect(readHistory({}, 'control')).toEqual({ events: 0, workflowTasks: 0, steps: [], retries: 0 });
  });
});

describe('usualSteps', () => {
  const took = (...steps: WorkflowCost['steps']): WorkflowCost => ({ events: 0, workflowTasks: 0, retries: 0, steps });

  it('is what most of them took', () => {
    const costs = [took('control'), took('control', 'host'), took('control', 'host')];
    expect(usualSteps(costs)).toEqual(['control', 'host']);
  });

  it('is nothing of nothing', () => {
    expect(usualSteps([])).toEqual([]);
  });
});
