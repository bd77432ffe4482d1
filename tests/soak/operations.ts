import type { VmState } from '../../db/schema/index.js';

/** A call of the API that makes a job for a VM. */
export interface VmOperation {
  command: string;
  parameters?: Record<string, string | boolean>;
  /** What the id of the VM is called. */
  idName?: string;
  /** How often, beside the others. */
  weight: number;
  /** Where it makes sense; it is asked for elsewhere too, now and then. */
  states: readonly VmState[];
  /** Whether it makes sense with an ISO in the drive, or without one; either when absent. */
  hasIso?: boolean;
  /** The parameter that names another image, and of which kind; it may be left out when `isOptional`. */
  image?: { name: string; kind: 'template' | 'iso'; isOptional: boolean };
}

export const VM_OPERATIONS: readonly VmOperation[] = [
  { command: 'stopVirtualMachine', weight: 3, states: ['Running'] },
  { command: 'stopVirtualMachine', parameters: { forced: true }, weight: 3, states: ['Running'] },
  { command: 'startVirtualMachine', weight: 6, states: ['Stopped'] },
  { command: 'rebootVirtualMachine', weight: 2, states: ['Running'] },
  { command: 'rebootVirtualMachine', parameters: { forced: true }, weight: 2, states: ['Running'] },
  {
    command: 'restoreVirtualMachine',
    idName: 'virtualmachineid',
    weight: 3,
    states: ['Running', 'Stopped'],
    image: { name: 'templateid', kind: 'template', isOptional: true },
  },
  {
    command: 'attachIso',
    idName: 'virtualmachineid',
    weight: 4,
    states: ['Running', 'Stopped'],
    hasIso: false,
    image: { name: 'id', kind: 'iso', isOptional: false },
  },
  { command: 'detachIso', idName: 'virtualmachineid', weight: 5, states: ['Running', 'Stopped'], hasIso: true },
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

/** What a person may do in the Temporal Web UI to any workflow. */
export const WORKFLOW_FAULTS = ['cancel', 'terminate', 'reset'] as const;
export type WorkflowFault = (typeof WORKFLOW_FAULTS)[number];
