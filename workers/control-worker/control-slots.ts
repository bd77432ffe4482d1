/** How much a control worker does at once. */
export const CONTROL_SLOTS = {
  maxConcurrentActivityTaskExecutions: 50,
  maxConcurrentWorkflowTaskExecutions: 40,
} as const;
