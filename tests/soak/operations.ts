import type { VmState } from '../../db/schema/index.js';

/** A call of the API that makes a job for a VM. */
export interface VmOperation {
  command: string;
  parameters?: Record<string, string | boolean>;
  /** How often, beside the others. */
  weight: number;
  /** Where it makes sense; it is asked for elsewhere too, now and then. */
  states: readonly VmState[];
}

export const VM_OPERATIONS: readonly VmOperation[] = [
  { command: 'stopVirtualMachine', weight: 3, states: ['Running'] },
  { command: 'stopVirtualMachine', parameters: { forced: true }, weight: 3, states: ['Running'] },
  { command: 'startVirtualMachine', weight: 6, states: ['Stopped'] },
  { command: 'rebootVirtualMachine', weight: 2, states: ['Running'] },
  { command: 'rebootVirtualMachine', parameters: { forced: true }, weight: 2, states: ['Running'] },
  { command: 'restoreVirtualMachine', weight: 3, states: ['Running', 'Stopped'] },
  { command: 'destroyVirtualMachine', weight: 3, states: ['Running', 'Stopped', 'Error'] },
  { command: 'recoverVirtualMachine', weight: 2, states: ['Destroyed'] },
  { command: 'destroyVirtualMachine', parameters: { expunge: true }, weight: 4, states: ['Running', 'Error'] },
  { command: 'expungeVirtualMachine', weight: 3, states: ['Destroyed'] },
];

/** What is done to a job that runs, by an impatient caller or in the Temporal Web UI. */
export const JOB_OPERATIONS = [
  { name: 'cancelJob', weight: 4 },
  { name: 'terminate', weight: 1 },
  { name: 'reset', weight: 1 },
] as const;
